import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { PaymentMode } from '../../domain/money.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import type { OrderItem } from '../../domain/order.ts';
import { finalOrderStatus, isFinalOrder } from '../../domain/status.ts';
import type { CallFault } from '../../providers/simulation.ts';
import { waitFor } from '../helpers/wait.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

const LONG = Boolean(process.env.OMS_TEST_LONG);
const RUNS = LONG ? 20 : 2;
/** On their way at the same time, getting into each other's way at the stock and the series of numbers. */
const ORDERS = 20;
const HANGS_AFTER_MS = LONG ? 3_600_000 : 600_000;
const ON_HAND = 100_000;

const calls = (share: number) =>
  (['timeout', 'error', 'lost', 'malformed'] as const satisfies CallFault[]).map((kind) => ({
    kind,
    share,
    prefix: null,
  }));

/** Something that happens to an order at any moment. */
type Happening =
  | { kind: 'cancel'; part: number | null }
  | { kind: 'amend'; keep: number }
  | { kind: 'decide'; action: 'amend' | 'cancel' }
  | { kind: 'news'; part: number; status: 'dispatched' | 'delivered' | 'deliveryFailed' | 'returnedToSender' };

interface Play {
  /** How far the order has come before they happen. */
  from: 'start' | 'invoice' | 'booking';
  items: { sku: string; quantity: number }[];
  happenings: Happening[];
}

const part = fc.integer({ min: 1, max: 3 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant('cancel' as const), part: fc.option(part) }),
  fc.record({ kind: fc.constant('amend' as const), keep: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('decide' as const), action: fc.constantFrom('amend' as const, 'cancel' as const) }),
  fc.record({
    kind: fc.constant('news' as const),
    part,
    status: fc.constantFrom('dispatched', 'delivered', 'deliveryFailed', 'returnedToSender' as const),
  }) as fc.Arbitrary<Happening>,
);
const sku = fc.oneof(
  { arbitrary: fc.constant('none'), weight: 1 },
  { arbitrary: fc.constantFrom('e', 'w', 'both'), weight: 9 },
);
const play: fc.Arbitrary<Play> = fc.record({
  from: fc.constantFrom('start' as const, 'invoice' as const, 'booking' as const),
  items: fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 5 }) }), { minLength: 1, maxLength: 4 }),
  happenings: fc.array(happening, { maxLength: 5 }),
});

let world: WorkflowWorld;

async function open(paymentMode: PaymentMode): Promise<void> {
  world = await createWorkflowWorld({
    paymentMode,
    retryLimitMs: { OMS_PAYMENT_UNAVAILABLE: 200, OMS_CARRIER_UNAVAILABLE: 200 },
    payment: [{ kind: 'decline', share: 0.1, prefix: null }, ...calls(0.06)],
    carrier: [{ kind: 'refuse', share: 0.1, prefix: null }, ...calls(0.06)],
  });
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: ON_HAND },
    { warehouse: 'west', sku: 'w', onHand: ON_HAND },
    { warehouse: 'east', sku: 'both', onHand: ON_HAND },
    { warehouse: 'west', sku: 'both', onHand: ON_HAND },
  ]);
}

/** Starts the order, lets things happen to it while it goes on, then brings what is under way to an end. */
async function playOut(id: string, { from, items, happenings }: Play): Promise<void> {
  const timers = { customerActionMs: 1_000, carrierOverdueMs: 600_000 };
  const handle = await world.start(id, items, { timers });
  if (from !== 'start') await waitFor(`the ${from} of ${id}`, () => hasCome(id, from), HANGS_AFTER_MS);
  for (const [i, one] of happenings.entries()) await happen(id, one, i, items);
  const ended = handle.result();
  let isOver = false;
  void ended.finally(() => (isOver = true));
  await waitFor(
    `${id} to end`,
    async () => {
      for (const shipment of await shipmentsUnderWay(id)) await tell(shipment, 'delivered', 'end');
      return isOver;
    },
    HANGS_AFTER_MS,
  );
  await ended;
}

/** An order that waits for its customer, or has ended, comes no further. */
async function hasCome(id: string, to: 'invoice' | 'booking'): Promise<boolean> {
  const table = to === 'invoice' ? sql`invoices` : sql`shipments`;
  const { rows } = await sql<{ come: boolean }>`
    select exists (select from ${table} t where t.order_id = ${id})
      or exists (select from orders where order_id = ${id} and (closed_at is not null or status = 'customerActionRequired'))
      as come`.execute(world.db);
  return rows[0]?.come ?? false;
}

async function happen(id: string, one: Happening, i: number, items: Play['items']): Promise<void> {
  const eventId = `happening-${i}`;
  switch (one.kind) {
    case 'cancel':
      return signal(id, {
        v: 1,
        kind: 'cancel',
        eventId,
        reason: 'changed my mind',
        fulfillmentId: one.part === null ? null : `${id}:${one.part}`,
      });
    case 'decide':
      return signal(id, { v: 1, kind: 'customerAction', eventId, action: one.action });
    case 'amend':
      return signal(id, {
        v: 1,
        kind: 'amend',
        eventId,
        items: items.map((item) => lowered(item, one.keep)),
        shipTo: null,
      });
    case 'news':
      return tell(`${id}:${one.part}`, one.status, String(i));
  }
}

const lowered = ({ sku, quantity }: Play['items'][number], keep: number): OrderItem => ({
  sku,
  quantity: Math.min(quantity, keep),
  unitPrice: null,
  description: null,
});

/** An order that has ended takes no more. */
async function signal(id: string, message: LifecycleMessage): Promise<void> {
  await world.signal(id, message).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === 'WorkflowNotFoundError')) throw error;
  });
}

/** News of an order that has not been taken yet, or has no such shipment, changes nothing. */
async function tell(
  shipmentId: string,
  status: 'dispatched' | 'delivered' | 'deliveryFailed' | 'returnedToSender',
  nth: string,
): Promise<void> {
  const known = await world.db
    .selectFrom('shipments')
    .select('status')
    .where('shipment_id', '=', shipmentId)
    .executeTakeFirst();
  if (known) await world.hearAgain(`${shipmentId}/${status}/${nth}`, status, shipmentId);
}

async function shipmentsUnderWay(id: string): Promise<string[]> {
  const rows = await world.db
    .selectFrom('shipments')
    .select('shipment_id')
    .where('order_id', '=', id)
    .where('status', 'in', ['booked', 'dispatched', 'deliveryFailed'])
    .execute();
  return rows.map((row) => row.shipment_id);
}

/** Orders whose money is not right: what was kept at the provider is not what is billed and not credited. */
async function moneyFaults(): Promise<unknown[]> {
  const { rows } = await sql`
    select f.fulfillment_id, f.status, p.status as payment, i.total as invoiced, credited, c.captured - c.refunded as kept
    from fulfillments f
    left join payments p using (fulfillment_id)
    left join invoices i using (fulfillment_id)
    left join simulated_charges c on c.key = f.fulfillment_id
    cross join lateral (
      select coalesce(sum(n.total), 0) as credited from credit_notes n where n.fulfillment_id = f.fulfillment_id
    ) as notes
    where coalesce(i.total, 0) - credited <> coalesce(c.captured - c.refunded, 0)
      or (c.captured > 0 and i.total is null)
      or (f.status in ('cancelled', 'failed') and coalesce(c.captured - c.refunded, 0) <> 0)
      or (f.status = 'completed' and coalesce(c.captured - c.refunded, 0) = 0)
  `.execute(world.db);
  return rows;
}

/** Stock that is still promised to somebody, or gone without having been shipped. */
async function stockFaults(): Promise<unknown[]> {
  const { rows } = await sql`
    select s.sku, s.warehouse, s.on_hand, s.reserved, shipped from stock s
    cross join lateral (
      select coalesce(sum(i.quantity), 0) as shipped from fulfillments f
      join fulfillment_items i using (fulfillment_id) join shipments sh on sh.shipment_id = f.fulfillment_id
      where f.warehouse = s.warehouse and i.sku = s.sku and sh.dispatched_at is not null and sh.status <> 'returned'
    ) as gone
    where s.reserved <> 0 or s.on_hand <> ${ON_HAND} - shipped
  `.execute(world.db);
  return rows;
}

/** Orders whose events, invoices or credit notes are not numbered 1..n. */
async function numberingFaults(): Promise<unknown[]> {
  const { rows } = await sql`
    select order_id as of, topic from outbox group by order_id, topic having max(sequence) <> count(*) or min(sequence) <> 1
    union all select order_id, 'version' from outbox group by order_id having max(version) <> count(*)
    union all select series, 'invoices' from invoices group by series having max(number) <> count(*)
    union all select series, 'credit notes' from credit_notes group by series having max(number) <> count(*)
  `.execute(world.db);
  return rows;
}

/** Orders whose status does not follow from their parts. */
async function statusFaults(): Promise<unknown[]> {
  const orders = await world.db.selectFrom('orders').select(['order_id', 'status']).execute();
  const parts = await world.db.selectFrom('fulfillments').select(['order_id', 'status']).execute();
  const byOrder = Map.groupBy(parts, (row) => row.order_id);
  return orders.filter(({ order_id: id, status }) => {
    const statuses = (byOrder.get(id) ?? []).map((row) => row.status);
    const follows = status === finalOrderStatus(statuses) || (status === 'timedOut' && !statuses.includes('completed'));
    return !isFinalOrder(status) || !follows;
  });
}

describe.each(['charge', 'capture-at-handover'] as const)('Any orders, with money taken by `%s`', (mode) => {
  beforeAll(() => open(mode));
  afterAll(() => world.drop());
  let run = 0;
  it(
    'whatever happens to them while providers fail, come to an end at which stock, money, numbers and statuses are right',
    async () => {
      const plays = fc.array(play, { minLength: ORDERS, maxLength: ORDERS });
      const property = fc.asyncProperty(plays, async (orders) => {
        run += 1;
        await Promise.all(orders.map((one, i) => playOut(world.id(`${run}-${i}`), one)));
        expect(await moneyFaults()).toEqual([]);
        expect(await stockFaults()).toEqual([]);
        expect(await numberingFaults()).toEqual([]);
        expect(await statusFaults()).toEqual([]);
      });
      await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    },
    HANGS_AFTER_MS,
  );
});
