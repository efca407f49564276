import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { areBooked } from '../helpers/order-states.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld();
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'west', sku: 'w', onHand: 1_000 },
  ]);
});
afterAll(() => world.drop());

const TWO_SHIPMENTS = [{ sku: 'e' }, { sku: 'w' }];
const cancel = (eventId: string, fulfillmentId: string | null = null): LifecycleMessage => ({
  v: 1,
  kind: 'cancel',
  eventId,
  reason: 'changed my mind',
  fulfillmentId,
});
const outcomeOf = async (orderId: string, eventId: string) => {
  const events = world.db.selectFrom('ledger_events').select('outcome').where('order_id', '=', orderId);
  return (await events.where('event_id', '=', eventId).executeTakeFirst())?.outcome;
};
const order = (orderId: string) =>
  world.db.selectFrom('orders').selectAll().where('order_id', '=', orderId).executeTakeFirstOrThrow();

/** Pieces on hand and promised, both warehouses: a cancelled order leaves them as they were. */
const stock = async () => [await world.stockOf('e'), await world.stockOf('w')];

/** All money that was taken for an order went back. */
async function expectNoMoneyKept(orderId: string): Promise<void> {
  for (const id of [`${orderId}:1`, `${orderId}:2`]) {
    const charge = await world.charged(id);
    expect(charge?.refunded ?? 0).toBe(charge?.taken ?? 0);
  }
}

describe('Cancelling an order', () => {
  it('before it is taken leaves nothing charged, and the stock as it was', async () => {
    const id = world.id('parked');
    const before = await stock();
    const handle = await world.start(id, TWO_SHIPMENTS, { parked: [cancel('c1')] });
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await stock()).toEqual(before);
    expect(await world.charged(`${id}:1`)).toBeNull();
    expect(await outcomeOf(id, 'c1')).toBe('handled');
  });

  it('while the payment provider is away stops the charge, and settles what it may have taken', async () => {
    const id = world.id('charging');
    const before = await stock();
    world.away.payment = true;
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, ({ waitingFor }) => waitingFor === 'payment');
    await world.signal(id, cancel('c1'));
    await world.until(id, ({ waitingFor }) => waitingFor === 'refund');
    world.away.payment = false;
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await stock()).toEqual(before);
    await expectNoMoneyKept(id);
  });

  it('while the carrier is away waits for its word, then gives the money back', async () => {
    const id = world.id('booking');
    const before = await stock();
    world.away.carrier = true;
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, ({ waitingFor }) => waitingFor === 'booking');
    await world.signal(id, cancel('c1'));
    await world.until(id, ({ waitingFor }) => waitingFor === 'carrier');
    world.away.carrier = false;
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await stock()).toEqual(before);
    await expectNoMoneyKept(id);
    expect(await world.toldTypes(id)).toMatchObject({ InvoicePaid: 2, CreditNoteIssued: 2, InvoiceRefunded: 2 });
  });

  it('after booking calls the carrier off first, then refunds and frees the stock', async () => {
    const id = world.id('booked');
    const before = await stock();
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, areBooked);
    await world.signal(id, cancel('c1'));
    await world.signal(id, cancel('c1'));
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await stock()).toEqual(before);
    await expectNoMoneyKept(id);
    expect(await world.charged(`${id}:1`)).toMatchObject({ taken: 1_700 });
    expect(await world.toldTypes(id)).toMatchObject({ ShipmentCancelled: 2, CreditNoteIssued: 2, InvoiceRefunded: 2 });
    const calls = world.db.selectFrom('simulated_calls').select('operation').where('key', '=', `${id}:1`).orderBy('id');
    const made = (await calls.execute()).map(({ operation }) => operation);
    expect(made).toEqual(['charge', 'quote', 'book', 'cancel', 'refund']);
    expect(await outcomeOf(id, 'c1')).toBe('handled');
  });

  it('once everything is picked up is refused with a reason, and the order goes on', async () => {
    const id = world.id('too-late');
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, areBooked);
    await world.hear('dispatched', `${id}:1`);
    // The second one is picked up, and the news of it is still on its way.
    await sql`update simulated_bookings set next_at = now() - interval '1 s' where key = ${`${id}:2`}`.execute(
      world.db,
    );
    await world.signal(id, cancel('c1'));
    await world.hear('delivered', `${id}:1`, `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await outcomeOf(id, 'c1')).toBe('refused');
    expect((await order(id)).reason).toContain('OMS_ORDER_CANCEL_TOO_LATE');
    expect(await world.charged(`${id}:1`)).toMatchObject({ refunded: 0 });
    const told = await world.told(id);
    expect(told.find(({ cause }) => cause === 'c1')).toMatchObject({
      topic: 'order-status',
      reason: expect.stringContaining('OMS_ORDER_CANCEL_TOO_LATE') as unknown,
    });
  });

  it('with one shipment on its way cancels the other one, and says which it was too late for', async () => {
    const id = world.id('half');
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, areBooked);
    await world.hear('dispatched', `${id}:1`);
    await world.signal(id, cancel('c1'));
    await world.until(id, ({ fulfillments }) => fulfillments?.[1]?.status === 'cancelled');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect((await order(id)).reason).toContain(`${id}:1`);
    expect(await world.charged(`${id}:2`)).toEqual({ taken: 1_700, refunded: 1_700 });
    expect(await world.charged(`${id}:1`)).toEqual({ taken: 1_700, refunded: 0 });
  });

  it('may be for one fulfillment only', async () => {
    const id = world.id('one');
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, areBooked);
    await world.signal(id, cancel('c1', `${id}:1`));
    await world.signal(id, cancel('c2', `${id}:7`));
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.status === 'cancelled');
    await world.hear('delivered', `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await outcomeOf(id, 'c1')).toBe('handled');
    expect(await outcomeOf(id, 'c2')).toBe('refused');
  });

  it("by Temporal's own tools is the business cancel: the workflow ends normally, after everything is undone", async () => {
    const id = world.id('by-operator');
    const before = await stock();
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, areBooked);
    await world.client.workflow.getHandle(orderWorkflowId(id)).cancel();
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await stock()).toEqual(before);
    await expectNoMoneyKept(id);
  });

  it('at a moment chosen by chance ends with stock and money right, whatever came of it', async () => {
    const names = Array.from({ length: 12 }, (_, i) => world.id(`chance-${i}`));
    const ends = names.map(async (id, i) => {
      const handle = await world.start(id, TWO_SHIPMENTS);
      if (i % 3 === 1) await world.until(id, ({ fulfillments }) => fulfillments !== null);
      if (i % 3 === 2) await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.payment === 'success');
      await world.signal(id, cancel('c1'));
      return handle.result();
    });
    expect(new Set((await Promise.all(ends)).map(({ status }) => status))).toEqual(new Set(['cancelled']));
    for (const id of names) await expectNoMoneyKept(id);
    const open = world.db.selectFrom('fulfillments').where('status', 'in', ['pending', 'processing']);
    expect(await open.select('fulfillment_id').execute()).toEqual([]);
    expect((await stock()).map((held) => Object.values(held).map(({ reserved }) => reserved))).toEqual([[0], [0]]);
  });
});
