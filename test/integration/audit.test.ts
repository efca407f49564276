import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { ORDER_WORKFLOW } from '../../domain/contract.ts';
import { ERRORS } from '../../domain/errors.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { beginCharge, settleCharge } from '../../database/charges.ts';
import { postRecord } from '../../database/posted-records.ts';
import { addPrices } from '../../database/price-list.ts';
import { clearSpending } from '../../database/spend.ts';
import { createPaymentSimulator } from '../../providers/payment/simulator.ts';
import type { AuditReport } from '../../replay/audit/audit.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment, RoleProcess } from '../helpers/deployment.ts';
import { PRICING } from '../helpers/fulfillment-world.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { placed } from '../helpers/order-events.ts';
import { waitFor } from '../helpers/wait.ts';

let deployment: Deployment;
let flow: Flow;
let client: Client;
let publisher: RoleProcess;
const roles: RoleProcess[] = [];

/** An error seeded into one order, and how it is taken back; without `mend` the audit has to repair it. */
interface Seed {
  codes: string[];
  order: string;
  seed: string;
  mend?: string;
}

/** Says `other` in the place of what an id is, and back. */
const renamed = (table: string, column: string, id: string): Pick<Seed, 'seed' | 'mend'> => ({
  seed: `update ${table} set ${column} = '${id}-x' where ${column} = '${id}'`,
  mend: `update ${table} set ${column} = '${id}' where ${column} = '${id}-x'`,
});
const added = (table: string, column: string, where: string, by = 1): Pick<Seed, 'seed' | 'mend'> => ({
  seed: `update ${table} set ${column} = ${column} + ${by} where ${where}`,
  mend: `update ${table} set ${column} = ${column} - ${by} where ${where}`,
});

/** `o-*` are booked, `d-*` delivered, `c-*` cancelled after booking. */
const SEEDS: Seed[] = [
  {
    codes: ['OMS_AUDIT_LEDGER_MISSING', 'OMS_AUDIT_WORKFLOW_UNKNOWN'],
    order: 'o-ledger',
    ...renamed('ledger', 'order_id', 'o-ledger'),
  },
  { codes: ['OMS_AUDIT_ORDER_MISSING'], order: 'd-order-x', ...renamed('ledger', 'order_id', 'd-order') },
  {
    codes: ['OMS_AUDIT_STATE_DIFFERS'],
    order: 'o-state',
    seed: `update orders set run_id = run_id || 'x' where order_id = 'o-state'`,
    mend: `update orders set run_id = rtrim(run_id, 'x') where order_id = 'o-state'`,
  },
  {
    codes: ['OMS_AUDIT_CLAIM_STALE'],
    order: 'o-claim',
    seed: `update ledger set state = 'claimed' where order_id = 'o-claim'`,
  },
  {
    codes: ['OMS_AUDIT_WORKFLOW_OPEN'],
    order: 'o-closed',
    seed: `update ledger set state = 'closed', closed_at = now() - interval '1 hour' where order_id = 'o-closed'`,
    mend: `update ledger set state = 'started', closed_at = null where order_id = 'o-closed'`,
  },
  { codes: ['OMS_AUDIT_SEQUENCE_GAP'], order: 'o-gap', ...added('orders', 'version', `order_id = 'o-gap'`) },
  {
    codes: ['OMS_AUDIT_EVENT_MISSING', 'OMS_AUDIT_EVENT_UNFOUNDED', 'OMS_AUDIT_RECORD_UNKNOWN'],
    order: 'o-event',
    ...renamed('outbox', 'event_id', 'o-event/1/InvoiceIssued/1'),
  },
  {
    codes: ['OMS_AUDIT_STATUS_DIFFERS'],
    order: 'o-status',
    seed: `update fulfillments set status = 'pending' where order_id = 'o-status'`,
    mend: `update fulfillments set status = 'processing' where order_id = 'o-status'`,
  },
  {
    codes: ['OMS_AUDIT_EVENT_UNSENT'],
    order: 'o-unsent',
    seed: `update outbox set sent_at = null where event_id = 'o-unsent/1/ShipmentBooked/1'`,
    mend: `update outbox set sent_at = created_at where event_id = 'o-unsent/1/ShipmentBooked/1'`,
  },
  {
    codes: ['OMS_AUDIT_EVENT_HELD'],
    order: 'o-held',
    seed: `update outbox set sent_at = null, held_reason = 'too large' where event_id = 'o-held/1/ShipmentBooked/1'`,
    mend: `update outbox set sent_at = created_at, held_reason = null where event_id = 'o-held/1/ShipmentBooked/1'`,
  },
  {
    codes: ['OMS_AUDIT_RECORD_DIFFERS'],
    order: 'o-bytes',
    seed: `update outbox set value = value || '\\x00'::bytea where event_id = 'o-bytes/1/ShipmentBooked/1'`,
    mend: `update outbox set value = substring(value for length(value) - 1) where event_id = 'o-bytes/1/ShipmentBooked/1'`,
  },
  {
    codes: ['OMS_AUDIT_RECORD_DISORDERED'],
    order: 'o-disorder',
    seed: `update outbox set sequence = 3 - sequence where order_id = 'o-disorder' and topic = 'invoices'`,
    mend: `update outbox set sequence = 3 - sequence where order_id = 'o-disorder' and topic = 'invoices'`,
  },
  {
    codes: ['OMS_AUDIT_INPUT_LOST'],
    order: 'c-lost',
    ...renamed('ledger_events', 'event_id', 'c-lost/cancelled'),
  },
  {
    codes: ['OMS_AUDIT_LETTER_UNSENT'],
    order: 'garbage',
    seed: `update dead_letters set sent_at = null where order_id = 'garbage'`,
    mend: `update dead_letters set sent_at = created_at where order_id = 'garbage'`,
  },
  {
    codes: ['OMS_AUDIT_INVOICE_MISSING'],
    order: 'd-invoice',
    ...renamed('invoices', 'fulfillment_id', 'd-invoice:1'),
  },
  {
    codes: ['OMS_AUDIT_MONEY_DIFFERS', 'OMS_AUDIT_CHARGE_DIFFERS'],
    order: 'd-money',
    ...added('payments', 'captured', `order_id = 'd-money'`, -1),
  },
  {
    codes: ['OMS_AUDIT_CREDIT_OPEN'],
    order: 'c-credit',
    seed: `update credit_notes set settled_at = null where order_id = 'c-credit'`,
    mend: `update credit_notes set settled_at = issued_at where order_id = 'c-credit'`,
  },
  {
    codes: ['OMS_AUDIT_CHARGE_REPEATED'],
    order: 'o-twice',
    ...added('payments', 'amount', `order_id = 'o-twice'`, -1),
  },
  {
    codes: ['OMS_AUDIT_CHARGE_UNKNOWN'],
    order: 'd-stray',
    ...renamed('payments', 'fulfillment_id', 'd-stray:1'),
  },
  {
    codes: ['OMS_AUDIT_CHARGE_MISSING'],
    order: 'd-charge',
    ...renamed('simulated_charges', 'key', 'd-charge:1'),
  },
  {
    codes: ['OMS_AUDIT_BOOKING_MISSING'],
    order: 'o-booking',
    ...renamed('simulated_bookings', 'key', 'o-booking:1'),
  },
  {
    codes: ['OMS_AUDIT_BOOKING_DIFFERS'],
    order: 'c-booking',
    seed: `update simulated_bookings set status = 'delivered' where key = 'c-booking:1'`,
    mend: `update simulated_bookings set status = 'cancelled' where key = 'c-booking:1'`,
  },
];

/** Differences of no order. */
const GENERAL: Omit<Seed, 'order'>[] = [
  { codes: ['OMS_AUDIT_STOCK_RESERVED'], ...added('stock', 'reserved', `sku = 'SKU-1'`) },
  { codes: ['OMS_AUDIT_NUMBER_GAP'], ...added('invoice_series', 'next', `series = 'INV'`) },
  {
    codes: ['OMS_AUDIT_MONEY_DIFFERS', 'OMS_AUDIT_CHARGE_DIFFERS'],
    ...added('payments', 'captured', `fulfillment_id = 'charge/direct'`, -1),
  },
  { codes: ['OMS_AUDIT_SPEND_DIFFERS'], ...added('customer_spend', 'spent', `customer_id = 'customer-1'`) },
];

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
  const ids = SEEDS.flatMap(({ order }) => (order === 'garbage' ? [] : [order.replace(/-x$/, '')]));
  await flow.send('orders', { key: 'garbage', value: Buffer.from('no Avro') });
  // What came over HTTP stands in the outbox, too, without a number.
  await postOrder('o-posted');
  await flow.booked(...ids, 'o-terminated', 'o-stale', 'c-unsent', 'd-repeated', 'o-posted');
  await flow.delivered(...ids.filter((id) => id.startsWith('d-')), 'd-repeated');
  await flow.cancelled(...ids.filter((id) => id.startsWith('c-')));
  // Tallies that were begun anew count from here on; the charge is the first in it.
  await clearSpending(deployment.db, 'GBP');
  await chargeDirectly('charge/direct');
  await flow.published();
  await waitFor('the dead letter', async () => (await deployment.records('orders.dlq')).length > 0);
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
    expect(report).toMatchObject({ code: 0, counts: {}, orders: SEEDS.length - 1 + 5 });
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
    await workflowOf('o-terminated').terminate('seeded');
    await client.workflow.start(ORDER_WORKFLOW, {
      workflowId: orderWorkflowId('d-repeated'),
      taskQueue: `${deployment.config.OMS_PREFIX}orders`,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [{ v: 1, orderId: 'd-repeated', timers: { customerActionMs: 1, carrierOverdueMs: 1 }, parked: [] }],
    });
    for (const { seed } of [...SEEDS, ...GENERAL]) await run(seed);
    report = await waitFor('visibility to show the second run', async () => {
      const now = await audit();
      return now.differences.some(({ code }) => code === 'OMS_AUDIT_WORKFLOW_REPEATED') && now;
    });
  });

  it.each(SEEDS.flatMap(({ codes, order }) => codes.map((code) => [code, order])))(
    '%s is found in %s',
    (code, order) => {
      expect(found(code, order)).toBe(true);
    },
  );

  it.each(GENERAL.flatMap(({ codes }) => codes.map((code) => [code])))('%s is found beside orders', (code) => {
    expect(report.differences.some((one) => one.code === code && one.orderId === null)).toBe(true);
  });

  it('of Temporal or Kafka is found too', () => {
    expect(found('OMS_AUDIT_WORKFLOW_MISSING', 'o-terminated')).toBe(true);
    expect(found('OMS_AUDIT_WORKFLOW_REPEATED', 'd-repeated')).toBe(true);
    expect(found('OMS_AUDIT_RECORD_MISSING', 'c-unsent')).toBe(true);
    expect(found('OMS_AUDIT_STATUS_STALE', 'c-unsent')).toBe(true);
    expect(found('OMS_AUDIT_STATUS_STALE', 'o-stale')).toBe(true);
  });

  it('of every kind the audit knows was seeded, and breaks its invariant', () => {
    const all = Object.keys(ERRORS).filter((code) => code.startsWith('OMS_AUDIT_'));
    expect(all.filter((code) => !(code in report.counts))).toEqual([]);
    expect(report.invariants.every(({ holds }) => holds === false)).toBe(true);
    expect(report.code).toBe(1);
  });

  it('that is safe to mend is mended, recorded, and a second audit is clean', async () => {
    for (const { mend } of [...SEEDS, ...GENERAL]) if (mend) await run(mend);
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
      ]),
    );
    expect(outcomes.filter(([, , outcome]) => outcome === undefined)).toEqual([]);
    const decided = await deployment.db.selectFrom('operator_decisions').select(['subject', 'who', 'why']).execute();
    expect(decided).toContainEqual({ subject: 'o-terminated', who: 'tester', why: 'seeded by a test' });

    await Promise.all([deployment.start('worker'), deployment.start('publisher')]);
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
