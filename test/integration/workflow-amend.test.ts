import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OrderState } from '../../domain/contract.ts';
import type { AmendMessage } from '../../domain/order-messages.ts';
import type { Address, OrderItem } from '../../domain/order.ts';
import { isAsked } from '../helpers/order-states.ts';
import { waitFor } from '../helpers/wait.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld();
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'east', sku: 'f', onHand: 1_000 },
  ]);
});
afterAll(() => world.drop());

const isBooked =
  (n: number) =>
  ({ fulfillments }: OrderState): boolean =>
    fulfillments?.[n - 1]?.shipment === 'booked';
const item = (sku: string, quantity: number): OrderItem => ({ sku, quantity, unitPrice: null, description: null });
const amend = (id: string, items: OrderItem[] | null, shipTo: Address | null = null, eventId = 'amend-1') =>
  world.signal(id, { v: 1, kind: 'amend', eventId, items, shipTo });
const outcomes = async (orderId: string) => {
  const rows = await world.db.selectFrom('ledger_events').selectAll().where('order_id', '=', orderId).execute();
  return rows.map(({ event_id, outcome }) => `${event_id} ${outcome}`);
};
const shipped = async (fulfillmentId: string) =>
  world.db
    .selectFrom('fulfillment_items')
    .select(['sku', 'quantity'])
    .where('fulfillment_id', '=', fulfillmentId)
    .orderBy('line')
    .execute();
const reserved = async (sku: string): Promise<number> => (await world.stockOf(sku))['east']?.reserved ?? 0;
const LEEDS: Address = {
  name: null,
  line1: '1 Park Row',
  line2: null,
  city: 'Leeds',
  region: null,
  postalCode: 'LS1 5HD',
  country: 'GB',
};

describe('An order that is amended', () => {
  it('while it waits for its customer drops lines and lowers quantities, frees their stock and goes on', async () => {
    const id = world.id('waiting');
    const before = { e: await reserved('e'), f: await reserved('f') };
    const handle = await world.start(id, [{ sku: 'sold-out' }, { sku: 'e', quantity: 5 }, { sku: 'f', quantity: 2 }]);
    await world.until(id, isAsked);
    await amend(id, [item('e', 3)], LEEDS);
    await world.until(id, isBooked(2));
    expect(await shipped(`${id}:2`)).toEqual([{ sku: 'e', quantity: 3 }]);
    expect({ e: await reserved('e'), f: await reserved('f') }).toEqual({ e: before.e + 3, f: before.f });
    const { ship_to: shipTo } = await world.db
      .selectFrom('orders')
      .select('ship_to')
      .where('order_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(shipTo).toEqual(LEEDS);
    await world.hear('delivered', `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await outcomes(id)).toEqual(['amend-1 handled']);
  });

  it('before its first step, by a parked event, is charged for what is left only', async () => {
    const id = world.id('parked');
    const message: AmendMessage = { v: 1, kind: 'amend', eventId: 'amend-1', items: [item('e', 1)], shipTo: null };
    const handle = await world.start(id, [{ sku: 'e', quantity: 4 }], { parked: [message] });
    await world.until(id, isBooked(1));
    const invoice = await world.db
      .selectFrom('invoices')
      .select('sub_total')
      .where('order_id', '=', id)
      .executeTakeFirst();
    const one = await world.db
      .selectFrom('fulfillment_items')
      .selectAll()
      .where('fulfillment_id', '=', `${id}:1`)
      .execute();
    expect(one.map(({ quantity }) => quantity)).toEqual([1]);
    expect(invoice?.sub_total).toBe(one[0]?.unit_price);
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
  });

  it('down to nothing is cancelled', async () => {
    const id = world.id('nothing');
    const handle = await world.start(id, [{ sku: 'sold-out' }, { sku: 'e' }]);
    await world.until(id, isAsked);
    const before = await reserved('e');
    await world.signal(id, { v: 1, kind: 'amend', eventId: 'amend-1', items: [], shipTo: null });
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await reserved('e')).toBe(before - 1);
  });

  it('is refused as a whole, with field, value and rule, when it asks for more than the order has', async () => {
    const id = world.id('more');
    const handle = await world.start(id, [{ sku: 'sold-out' }, { sku: 'e', quantity: 2 }]);
    await world.until(id, isAsked);
    await amend(id, [item('e', 7)], LEEDS);
    await world.signal(id, { v: 1, kind: 'customerAction', eventId: 'e-2', action: 'amend' });
    await world.until(id, isBooked(2));
    expect(await shipped(`${id}:2`)).toEqual([{ sku: 'e', quantity: 2 }]);
    const { reason, ship_to: shipTo } = await world.db
      .selectFrom('orders')
      .select(['reason', 'ship_to'])
      .where('order_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(reason).toMatch(/^OMS_ORDER_AMEND_INVALID: payload.items\[0\].quantity is 7, must be at most 2/);
    expect(shipTo).not.toEqual(LEEDS);
    await world.hear('delivered', `${id}:2`);
    await handle.result();
    expect(await outcomes(id)).toEqual(['amend-1 refused', 'e-2 handled']);
    const refused = world.db.selectFrom('ledger_events').select('reason').where('event_id', '=', 'amend-1');
    expect(await refused.where('order_id', '=', id).executeTakeFirst()).toEqual({ reason });
  });

  it('while its payment is in doubt is charged as invoiced, and gets the difference back by a credit note', async () => {
    const id = world.id('in-doubt');
    world.away.payment = true;
    const handle = await world.start(id, [
      { sku: 'e', quantity: 4 },
      { sku: 'f', quantity: 1 },
    ]);
    await world.until(id, ({ waitingFor }) => waitingFor === 'payment');
    await amend(id, [item('e', 1)]);
    await waitFor('the credit note', async () => (await world.toldTypes(id))['CreditNoteIssued'] === 1);
    world.away.payment = false;
    await world.until(id, isBooked(1));
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await shipped(`${id}:1`)).toEqual([{ sku: 'e', quantity: 1 }]);
    const { total } = await world.db
      .selectFrom('invoices')
      .select('total')
      .where('order_id', '=', id)
      .executeTakeFirstOrThrow();
    const note = await world.db
      .selectFrom('credit_notes')
      .select(['total', 'refunded', 'shipping'])
      .where('order_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(note.refunded).toBe(note.total);
    expect(note.shipping).toBe(0);
    expect(note.total).toBeLessThan(total);
    const payment = await world.db
      .selectFrom('payments')
      .select(['status', 'amount', 'refunded'])
      .where('order_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(payment).toEqual({ status: 'success', amount: total, refunded: note.total });
  });

  it('is refused when the carrier has it in hand', async () => {
    const id = world.id('late');
    const handle = await world.start(id, [{ sku: 'e', quantity: 2 }]);
    await world.until(id, isBooked(1));
    await amend(id, [item('e', 1)]);
    await amend(id, null, LEEDS, 'amend-2');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await outcomes(id)).toEqual(['amend-1 refused', 'amend-2 refused']);
    expect(await shipped(`${id}:1`)).toEqual([{ sku: 'e', quantity: 2 }]);
  });
});
