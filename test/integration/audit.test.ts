import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { readDeploymentId } from '../../database/deployment/deployment.ts';
import { postRecord } from '../../database/ledger/posted-records.ts';
import { ORDER_WORKFLOW } from '../../domain/contract.ts';
import { ERRORS } from '../../domain/errors.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { writeTopicMark } from '../../kafka/admin/deployment-mark.ts';
import { DEPLOYMENT_HEADER, DLQ_HEADERS } from '../../kafka/headers.ts';
import type { AuditReport } from '../../operations/audit/audit.ts';
import { beginCharge, settleCharge } from '../../orders/money/charges.ts';
import { addPrices } from '../../orders/money/price-list.ts';
import { clearSpending } from '../../orders/money/spend.ts';
import { createPaymentSimulator } from '../../providers/payment/simulator.ts';
import { commandResources } from '../../resources/profiles.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment, RoleProcess } from '../helpers/deployment.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { PRICING } from '../helpers/fulfillment-world.ts';
import { placed } from '../helpers/order-events.ts';
import { waitFor } from '../helpers/wait.ts';

let deployment: Deployment;
let flow: Flow;
let client: Client;
let publisher: RoleProcess;
const roles: RoleProcess[] = [];

/** An error seeded into one order, and how it is taken back; without `mend` the audit has to repair it. */
interface Change {
  seed: string;
  mend?: string;
}
interface Seed extends Change {
  codes: string[];
  /** Null for what belongs to no order. */
  order: string | null;
}

const seed = (order: string | null, codes: string, change: Change): Seed => ({
  ...{ order, codes: codes.split(' ').map((code) => `OMS_AUDIT_${code}`), ...change },
});
/** Says `other` in the place of what an id is, and back. */
const renamed = (table: string, column: string, id: string): Change => ({
  seed: `update ${table} set ${column} = '${id}-x' where ${column} = '${id}'`,
  mend: `update ${table} set ${column} = '${id}' where ${column} = '${id}-x'`,
});
const added = (table: string, column: string, where: string, by = 1): Change => ({
  seed: `update ${table} set ${column} = ${column} + ${by} where ${where}`,
  mend: `update ${table} set ${column} = ${column} - ${by} where ${where}`,
});
const swapped = (table: string, where: string, wrong: string, right: string): Change => ({
  seed: `update ${table} set ${wrong} where ${where}`,
  mend: `update ${table} set ${right} where ${where}`,
});
const lengthened = (table: string, column: string, where: string): Change =>
  swapped(
    ...([table, where] as const),
    `${column} = ${column} || '\\x00'::bytea`,
    `${column} = substring(${column} for length(${column}) - 1)`,
  );
const of = (order: string): string => `order_id = '${order}'`;
const isEvent = (id: string): string => `event_id = '${id}'`;

/** Records no event can be read from, by their key: dead letters. */
const LETTERS = ['garbage', 'unknown', 'other'];

/** `o-*` are booked, `d-*` delivered, `c-*` cancelled after booking. */
const SEEDS: Seed[] = [
  seed('o-ledger', 'LEDGER_MISSING WORKFLOW_UNKNOWN', renamed('ledger', 'order_id', 'o-ledger')),
  seed('d-order-x', 'ORDER_MISSING', renamed('ledger', 'order_id', 'd-order')),
  seed(
    ...(['o-state', 'STATE_DIFFERS'] as const),
    swapped('orders', of('o-state'), `run_id = run_id || 'x'`, `run_id = rtrim(run_id, 'x')`),
  ),
  seed('o-claim', 'CLAIM_STALE', { seed: `update ledger set state = 'claimed' where order_id = 'o-claim'` }),
  seed(
    ...(['o-closed', 'WORKFLOW_OPEN'] as const),
    swapped(
      ...(['ledger', of('o-closed')] as const),
      `state = 'closed', closed_at = now() - interval '1 hour'`,
      `state = 'started', closed_at = null`,
    ),
  ),
  seed('o-gap', 'SEQUENCE_GAP', added('orders', 'version', of('o-gap'))),
  seed(
    ...(['o-event', 'EVENT_MISSING EVENT_UNFOUNDED RECORD_UNKNOWN'] as const),
    renamed('outbox', 'event_id', 'o-event/1/InvoiceIssued/1'),
  ),
  seed(
    ...(['o-status', 'STATUS_DIFFERS'] as const),
    swapped('fulfillments', of('o-status'), `status = 'pending'`, `status = 'processing'`),
  ),
  seed(
    ...(['o-unsent', 'EVENT_UNSENT'] as const),
    swapped('outbox', isEvent('o-unsent/1/ShipmentBooked/1'), 'sent_at = null', 'sent_at = created_at'),
  ),
  seed(
    ...(['o-held', 'EVENT_HELD'] as const),
    swapped(
      ...(['outbox', isEvent('o-held/1/ShipmentBooked/1')] as const),
      `sent_at = null, held_reason = 'too large'`,
      'sent_at = created_at, held_reason = null',
    ),
  ),
  seed('o-bytes', 'RECORD_DIFFERS', lengthened('outbox', 'value', isEvent('o-bytes/1/ShipmentBooked/1'))),
  seed(
    ...(['o-disorder', 'RECORD_DISORDERED'] as const),
    swapped(
      ...(['outbox', `${of('o-disorder')} and topic = 'invoices'`] as const),
      'sequence = 3 - sequence',
      'sequence = 3 - sequence',
    ),
  ),
  seed('c-lost', 'INPUT_LOST', renamed('ledger_events', 'event_id', 'c-lost/cancelled')),
  seed('d-news', 'NEWS_LOST', renamed('carrier_updates', 'update_id', 'd-news/d')),
  seed('garbage', 'LETTER_UNSENT', swapped('dead_letters', of('garbage'), 'sent_at = null', 'sent_at = created_at')),
  seed('unknown', 'LETTER_UNKNOWN', swapped('dead_letters', of('unknown'), `id = id || 'x'`, `id = rtrim(id, 'x')`)),
  seed('other', 'LETTER_DIFFERS', lengthened('dead_letters', 'record_value', of('other'))),
  seed('d-invoice', 'INVOICE_MISSING', renamed('invoices', 'fulfillment_id', 'd-invoice:1')),
  seed('d-money', 'MONEY_DIFFERS CHARGE_DIFFERS', added('payments', 'captured', of('d-money'), -1)),
  seed(
    ...(['c-credit', 'CREDIT_OPEN'] as const),
    swapped('credit_notes', of('c-credit'), 'settled_at = null', 'settled_at = issued_at'),
  ),
  seed('o-twice', 'CHARGE_REPEATED', added('payments', 'amount', of('o-twice'), -1)),
  seed('d-stray', 'CHARGE_UNKNOWN', renamed('payments', 'fulfillment_id', 'd-stray:1')),
  seed('d-charge', 'CHARGE_MISSING', renamed('simulated_charges', 'key', 'd-charge:1')),
  seed('o-booking', 'BOOKING_MISSING', renamed('simulated_bookings', 'key', 'o-booking:1')),
  seed(
    ...(['c-booking', 'BOOKING_DIFFERS'] as const),
    swapped('simulated_bookings', `key = 'c-booking:1'`, `status = 'delivered'`, `status = 'cancelled'`),
  ),
  seed(null, 'STOCK_RESERVED', added('stock', 'reserved', `sku = 'SKU-1'`)),
  seed(null, 'NUMBER_GAP', added('invoice_series', 'next', `series = 'INV'`)),
  seed(null, 'MONEY_DIFFERS CHARGE_DIFFERS', added('payments', 'captured', `fulfillment_id = 'charge/direct'`, -1)),
  seed(null, 'SPEND_DIFFERS', added('customer_spend', 'spent', `customer_id = 'customer-1'`)),
];

/** A dead letter the topic is said to have acknowledged. */
const NEVER_SENT = `insert into dead_letters (id, code, message, order_id, record_topic, record_partition, record_offset,
    record_time, record_key, record_value, created_at, sent_at)
  select 'never-sent', code, message, 'never-sent', record_topic, record_partition, 99, record_time, record_key,
    record_value, created_at - interval '1 hour', created_at from dead_letters where order_id = 'garbage'`;

const ORDERS = SEEDS.flatMap(({ order }) => (order && !LETTERS.includes(order) ? [order.replace(/-x$/, '')] : []));
/** Orders that errors are seeded into by other means than a statement, and those that have none. */
const OTHERS = ['o-terminated', 'o-stale', 'c-unsent', 'd-repeated', 'o-posted', 'o-told'];

async function audit(...words: string[]): Promise<AuditReport & { code: number | null }> {
  const { code, stdout, stderr } = await deployment.oms(['audit', '--json', '--grace', '0', '--settle', '0', ...words]);
  if (!stdout) throw new Error(stderr);
  return { ...(JSON.parse(stdout) as AuditReport), code };
}

const workflowOf = (orderId: string) => client.workflow.getHandle(orderWorkflowId(orderId));
const run = (statement: string): Promise<unknown> => sql.raw(statement).execute(deployment.db);

async function postOrder(orderId: string): Promise<void> {
  const { db, codec, topics } = deployment;
  const event = placed(orderId);
  const value = codec.encode(topics.orders, event);
  const { eventId } = event;
  await postRecord(db, { topic: 'orders', orderId, eventId, type: 'OrderPlaced', key: orderId, value, headers: {} });
}

/** News told over HTTP, on its way to the topic. */
async function postNews(orderId: string, updateId: string): Promise<void> {
  const { db, codec, topics } = deployment;
  const key = `${orderId}:1`;
  const about = { carrier: null, trackingNumber: null, detail: null, occurredAt: Date.UTC(2026, 0, 2) };
  const value = codec.encode(topics['carrier-updates'], { updateId, shipmentId: key, status: 'booked', ...about });
  const headers = { ce_id: updateId };
  await postRecord(db, {
    ...{ topic: 'carrier-updates', orderId, eventId: updateId, type: 'CarrierUpdate', key, value, headers },
  });
}

/** A charge outside of any order, paid. */
async function chargeDirectly(id: string): Promise<void> {
  const { db } = deployment;
  const [customerId, currency, sku] = ['customer-1', 'GBP', 'SKU-1'];
  await addPrices(db, [{ sku, currency, unitPrice: 1_000 }]);
  const { total } = await beginCharge(db, PRICING, {
    ...{ id, reference: 'r', customerId, currency, items: [{ sku, quantity: 1 }] },
  });
  const provider = createPaymentSimulator({ db, latencyMs: 0, faults: [] });
  const paid = await provider.charge({ key: id, customerId, currency, amount: total });
  if (paid.status === 'approved') {
    const { reference, authCode } = paid;
    await settleCharge(db, id, { status: 'success', reference, authCode });
  }
}

beforeAll(async () => {
  deployment = await createDeployment(PATIENT);
  client = new Client({ connection: deployment.temporal, namespace: deployment.config.TEMPORAL_NAMESPACE });
  const started = await Promise.all([
    deployment.start('ingest'),
    deployment.start('worker'),
    deployment.start('publisher'),
  ]);
  roles.push(started[0], started[1]);
  publisher = started[2];
  flow = await createFlow(deployment);
  for (const key of LETTERS) await flow.send('orders', { key, value: Buffer.from('no Avro') });
  // What came over HTTP stands in the outbox, too, without a number.
  await postOrder('o-posted');
  await flow.booked(...ORDERS, ...OTHERS);
  await postNews('o-told', 'told');
  await flow.delivered(...ORDERS.filter((id) => id.startsWith('d-')), 'd-repeated');
  await flow.cancelled(...ORDERS.filter((id) => id.startsWith('c-')));
  // Tallies that were begun anew count from here on; the charge is the first in it.
  await clearSpending(deployment.db, 'GBP');
  await chargeDirectly('charge/direct');
  await flow.published();
  await waitFor('the dead letters', async () => (await deployment.records('orders.dlq')).length === LETTERS.length);
  await waitFor('the news', async () => {
    const news = deployment.db.selectFrom('carrier_updates').select('applied').where('update_id', '=', 'told');
    return news.executeTakeFirst();
  });
}, 480_000);
afterAll(async () => {
  await flow?.close();
  await deployment?.drop();
});

describe('oms audit', () => {
  it('finds nothing in a deployment that is in order, and states the invariants', async () => {
    await waitFor('all records to be committed', async () => (await deployment.lag()) === 0);
    const report = await audit();
    expect(report.differences).toEqual([]);
    expect(report).toMatchObject({ code: 0, counts: {}, orders: ORDERS.length + OTHERS.length });
    expect(report.invariants).toEqual([
      { states: 'workflows per order = 1', holds: true, broken: 0 },
      { states: 'charges per fulfillment ≤ 1', holds: true, broken: 0 },
      { states: 'captured = invoiced − credited', holds: true, broken: 0 },
      { states: 'reserved = sum of open fulfillments', holds: true, broken: 0 },
      { states: 'sequences are gap-free', holds: true, broken: 0 },
    ]);
  });

  it('finds nothing while orders are on their way', async () => {
    const ids = Array.from({ length: 10 }, (_, i) => `r-${i}`);
    const moving = flow.booked(...ids).then(() => flow.delivered(...ids));
    const report = await deployment.oms(['audit', '--json', '--settle', '2']);
    expect((JSON.parse(report.stdout) as AuditReport).differences).toEqual([]);
    await moving;
    await flow.published();
  });

  it('looks at one order, or some parts, when told so', async () => {
    const report = await audit('--order', 'd-money', '--only', 'money,outbox');
    expect(report).toMatchObject({ code: 0, orders: 1, records: 0, parts: ['money', 'outbox'] });
    expect(report.invariants[0]).toMatchObject({ holds: null });
    expect((await audit('--since', '0s')).orders).toBe(0);
  });

  it('says of a misspelt order that nobody knows it, instead of finding nothing wrong with it', async () => {
    expect(await audit('--order', 'd-mony', '--only', 'money')).toMatchObject({
      code: 1,
      orders: 0,
      unknown: ['d-mony'],
    });
    const { stdout } = await deployment.oms(['audit', '--order', 'd-mony', '--only', 'money']);
    expect(stdout).toContain('order d-mony is known nowhere');
    expect((await deployment.oms(['audit', '--order', 'd mony'])).code).toBe(2);
  });
});

describe('a seeded error', () => {
  let report: Awaited<ReturnType<typeof audit>>;
  const found = (code: string, order: string | null): boolean =>
    report.differences.some((one) => one.code === code && one.orderId === order);

  beforeAll(async () => {
    // What the publisher would do by itself must not mend what is seeded.
    await publisher.stop();
    await flow.cancelled('c-unsent');
    await Promise.all(roles.map((role) => role.stop()));
    await run(`update outbox set sent_at = clock_timestamp() where sent_at is null and order_id = 'c-unsent'`);
    const older = await deployment.db
      .selectFrom('outbox')
      .select(['key', 'value', 'headers'])
      .where('event_id', '=', 'o-stale/order/OrderStatus/1')
      .executeTakeFirstOrThrow();
    await flow.send('order-status', older);
    const mirrored = { ...older, headers: { ...older.headers, [DEPLOYMENT_HEADER]: 'another-deployment' } };
    await flow.send('order-status', mirrored);
    await workflowOf('o-terminated').terminate('seeded');
    await client.workflow.start(ORDER_WORKFLOW, {
      workflowId: orderWorkflowId('d-repeated'),
      taskQueue: `${deployment.config.OMS_PREFIX}orders`,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [{ v: 1, orderId: 'd-repeated', timers: { customerActionMs: 1, carrierOverdueMs: 1 }, parked: [] }],
    });
    await postNews('o-told', 'untold');
    await run(`update outbox set sent_at = clock_timestamp() where event_id = 'in/o-told:1/untold'`);
    for (const { seed } of SEEDS) await run(seed);
    await run(NEVER_SENT);
    report = await waitFor('visibility to show the second run', async () => {
      const now = await audit();
      return now.differences.some(({ code }) => code === 'OMS_AUDIT_WORKFLOW_REPEATED') && now;
    });
  });

  it.each(SEEDS.flatMap(({ codes, order }) => codes.map((code) => [code, order] as const)))(
    '%s is found in %s',
    (code, order) => {
      expect(found(code, order)).toBe(true);
    },
  );

  it('of Temporal or Kafka is found too', () => {
    expect(found('OMS_AUDIT_WORKFLOW_MISSING', 'o-terminated')).toBe(true);
    expect(found('OMS_AUDIT_WORKFLOW_REPEATED', 'd-repeated')).toBe(true);
    expect(found('OMS_AUDIT_RECORD_MISSING', 'c-unsent')).toBe(true);
    expect(found('OMS_AUDIT_STATUS_STALE', 'c-unsent')).toBe(true);
    expect(found('OMS_AUDIT_STATUS_STALE', 'o-stale')).toBe(true);
    expect(found('OMS_AUDIT_RECORD_FOREIGN', 'o-stale')).toBe(true);
    expect(found('OMS_AUDIT_NEWS_MISSING', 'o-told')).toBe(true);
    expect(found('OMS_AUDIT_LETTER_MISSING', 'never-sent')).toBe(true);
  });

  it('of every kind the audit knows was seeded, and breaks its invariant', () => {
    const all = Object.keys(ERRORS).filter((code) => code.startsWith('OMS_AUDIT_'));
    expect(all.filter((code) => !(code in report.counts))).toEqual([]);
    expect(report.invariants.every(({ holds }) => holds === false)).toBe(true);
    expect(report.code).toBe(1);
  });

  it('that is safe to mend is mended, recorded, and a second audit is clean', async () => {
    for (const { mend } of SEEDS) if (mend) await run(mend);
    // As if the topics had been adopted from that deployment: its records are their own history then.
    const id = (await readDeploymentId(deployment.db)) ?? '';
    const { config } = deployment;
    await writeTopicMark(commandResources(config).kafkaConnection(), config.OMS_PREFIX, {
      id,
      earlier: ['another-deployment'],
    });
    await workflowOf('d-repeated').terminate('seeded');
    expect((await deployment.oms(['audit', '--repair'])).stderr).toContain('--repair needs --why');
    const repaired = await audit('--repair', '--why', 'seeded by a test', '--who', 'tester');
    const outcomes = repaired.differences.map(({ code, orderId, repaired: outcome }) => [code, orderId, outcome]);
    const again = 'given to the publisher once more';
    expect(outcomes).toEqual(
      expect.arrayContaining([
        ['OMS_AUDIT_CLAIM_STALE', 'o-claim', 'confirmed: its workflow was there already'],
        ['OMS_AUDIT_WORKFLOW_MISSING', 'o-terminated', 'its run was TERMINATED; a new one goes on'],
        ['OMS_AUDIT_STATUS_STALE', 'o-stale', again],
        ['OMS_AUDIT_RECORD_MISSING', 'c-unsent', again],
        ['OMS_AUDIT_NEWS_MISSING', 'o-told', again],
        ['OMS_AUDIT_LETTER_MISSING', 'never-sent', 'given to ingest to be sent once more'],
      ]),
    );
    expect(outcomes.filter(([, , outcome]) => outcome === undefined)).toEqual([]);
    const decided = await deployment.db.selectFrom('operator_decisions').select(['subject', 'who', 'why']).execute();
    expect(decided).toContainEqual({ subject: 'o-terminated', who: 'tester', why: 'seeded by a test' });

    await Promise.all([deployment.start('ingest'), deployment.start('worker'), deployment.start('publisher')]);
    await waitFor('the dead letter', async () =>
      (await deployment.records('orders.dlq')).some(({ headers }) => headers[DLQ_HEADERS.id] === 'never-sent'),
    );
    await flow.published();
    await waitFor('the new run to have the order', async () => {
      const row = deployment.db.selectFrom('ledger').select('run_id').where('order_id', '=', 'o-terminated');
      return (await row.executeTakeFirst())?.run_id;
    });
    const clean = await audit();
    expect(clean.differences).toEqual([]);
    expect(clean.code).toBe(0);
  });
});
