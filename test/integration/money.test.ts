import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { PaymentFault } from '../../platform/config/settings.ts';
import { createFaults } from '../../providers/simulation.ts';
import { always, createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';

/** Half of the calls about these keys go wrong, always the same ones. */
const PARTLY: FaultRule<PaymentFault>[] = [
  { kind: 'lost', share: 0.5, prefix: 'lost-' },
  { kind: 'timeout', share: 0.5, prefix: 'late-' },
];

/** An order whose first charge has no answer, and whose first refund and look-up have one. */
function orderWhoseChargeIsLost(kind: 'lost' | 'timeout' = 'lost', name: 'lost' | 'late' = 'lost'): string {
  const faults = createFaults(PARTLY);
  for (let i = 0; ; i++) {
    const [id, key] = [`${name}-${i}`, `${name}-${i}:1`];
    const isLost = faults.ofCall('charge', key, 1) === kind;
    if (isLost && ['refund', 'get'].every((operation) => faults.ofCall(operation, key, 1) === null)) return id;
  }
}

let world: FulfillmentWorld;
beforeAll(async () => {
  world = await createFulfillmentWorld({
    payment: [always('decline', 'declined'), always('lost', 'flaky-1:2'), ...PARTLY],
  });
  await world.stock([
    { warehouse: 'east', sku: 'east-only', onHand: 10_000 },
    { warehouse: 'west', sku: 'west-only', onHand: 10_000 },
  ]);
});
afterAll(() => world.drop());

const place = async (orderId: string, items: Parameters<FulfillmentWorld['place']>[1]): Promise<void> => {
  await world.place(orderId, items);
  await world.activities.takeOrder(orderId, 'run');
};
const invoiceOf = (fulfillmentId: string) =>
  world.db.selectFrom('invoices').selectAll().where('fulfillment_id', '=', fulfillmentId).executeTakeFirstOrThrow();
const types = async (orderId: string) => (await world.told(orderId)).map(({ type }) => type).filter((type) => type);

describe('Charging fulfillments', () => {
  it('draws one invoice a shipment with exact totals, takes exactly that, and tells of both', async () => {
    await place('exact', [
      { sku: 'east-only', quantity: 3, unitPrice: 333 },
      { sku: 'west-only', quantity: 1, unitPrice: 1 },
      { sku: 'east-only', quantity: 1, unitPrice: 7 },
    ]);
    const progress = await world.activities.chargeFulfillments('exact', ['exact:1', 'exact:2']);
    expect(progress.fulfillments).toMatchObject([
      { status: 'processing', payment: 'success', shipment: 'pending' },
      { status: 'processing', payment: 'success', shipment: 'pending' },
    ]);
    // Tax per line, half up: 999 × 20 % = 199.8 → 200, 7 × 20 % = 1.4 → 1.
    expect(await invoiceOf('exact:1')).toMatchObject({ sub_total: 1_006, tax: 201, shipping: 500, total: 1_707 });
    expect(await invoiceOf('exact:2')).toMatchObject({ sub_total: 1, tax: 0, shipping: 500, total: 501 });
    expect(await world.charged('exact:1')).toEqual({ taken: 1_707, refunded: 0 });
    expect(await types('exact')).toEqual(['InvoiceIssued', 'InvoiceIssued', 'InvoicePaid', 'InvoicePaid']);
  });

  it('again changes nothing: same invoice, same charge, no further event', async () => {
    await place('again', [{ sku: 'east-only' }]);
    const first = await world.activities.chargeFulfillments('again', ['again:1']);
    const invoice = await invoiceOf('again:1');
    expect(await world.activities.chargeFulfillments('again', ['again:1'])).toEqual(first);
    expect(await invoiceOf('again:1')).toEqual(invoice);
    expect(await types('again')).toEqual(['InvoiceIssued', 'InvoicePaid']);
  });

  it('lets a declined one fail alone and frees its stock', async () => {
    await place('declined', [{ sku: 'declined-sku' }, { sku: 'east-only', quantity: 2 }]);
    const before = await world.stockOf('east-only');
    const progress = await world.activities.chargeFulfillments('declined', ['declined:2']);
    expect(progress.fulfillments[1]).toMatchObject({ status: 'failed', payment: 'failed', shipment: null });
    const after = await world.stockOf('east-only');
    expect((before['east']?.reserved ?? 0) - (after['east']?.reserved ?? 0)).toBe(2);
    const failed = (await world.told('declined')).find(({ type }) => type === 'PaymentFailed');
    expect(failed).toMatchObject({ fulfillmentId: 'declined:2', reason: 'insufficient funds', authCode: null });
  });

  it('takes the price list where upstream sent no price, and fails what has none', async () => {
    await world.db.insertInto('prices').values({ sku: 'east-only', currency: 'GBP', unit_price: 250 }).execute();
    await place('listed', [
      { sku: 'east-only', quantity: 2, unitPrice: null },
      { sku: 'west-only', unitPrice: null },
    ]);
    const progress = await world.activities.chargeFulfillments('listed', ['listed:1', 'listed:2']);
    expect(progress.fulfillments).toMatchObject([
      { status: 'processing', payment: 'success' },
      { status: 'failed', payment: null, refundDue: false },
    ]);
    expect(await invoiceOf('listed:1')).toMatchObject({ sub_total: 500 });
    const { reason } = await world.db
      .selectFrom('fulfillments')
      .select('reason')
      .where('fulfillment_id', '=', 'listed:2')
      .executeTakeFirstOrThrow();
    expect(reason).toContain('OMS_PRICE_MISSING');
  });

  it('answers for those that have an outcome while one is unknown, and takes the money once all the same', async () => {
    await place('flaky-1', [{ sku: 'east-only' }, { sku: 'west-only' }]);
    const progress = await world.activities.chargeFulfillments('flaky-1', ['flaky-1:1', 'flaky-1:2']);
    expect(progress.fulfillments).toMatchObject([{ payment: 'success' }, { payment: 'pending' }]);
    await expect(world.activities.chargeFulfillments('flaky-1', ['flaky-1:2'])).rejects.toThrow(
      expect.objectContaining({ type: 'OMS_PAYMENT_UNAVAILABLE', nonRetryable: false }),
    );
    const calls = world.db.selectFrom('simulated_calls').select('outcome').where('key', '=', 'flaky-1:2');
    expect(await calls.orderBy('id').execute()).toEqual([{ outcome: 'approved' }, { outcome: 'repeat' }]);
  });

  it('numbers invoices without a gap, whoever draws them at once', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `number-${i}`);
    await Promise.all(ids.map((id) => place(id, [{ sku: 'east-only' }, { sku: 'west-only', unitPrice: null }])));
    const charges = ids.map((id) => world.activities.chargeFulfillments(id, [`${id}:1`, `${id}:2`]));
    const again = ids.map((id) => world.activities.chargeFulfillments(id, [`${id}:1`]));
    await Promise.all([...charges, ...again]);
    const rows = await world.db.selectFrom('invoices').select('number').orderBy('number').execute();
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, i) => i + 1));
    expect(rows.length).toBeGreaterThanOrEqual(40);
  });
});

describe('Refunding', () => {
  it('gives back what was taken, once, and tells of it', async () => {
    await place('refund', [{ sku: 'east-only' }]);
    await world.activities.chargeFulfillments('refund', ['refund:1']);
    const request = { fulfillmentId: null, cause: 'cancel-1', reason: 'changed my mind' };
    await world.activities.callOffShipments('refund', ['refund:1'], request);
    const progress = await world.activities.refundFulfillments('refund');
    expect(progress.fulfillments).toMatchObject([{ status: 'cancelled', payment: 'refunded', refundDue: false }]);
    await world.activities.refundFulfillments('refund');
    expect(await world.charged('refund:1')).toEqual({ taken: 1_700, refunded: 1_700 });
    expect(await types('refund')).toEqual(['InvoiceIssued', 'InvoicePaid', 'CreditNoteIssued', 'InvoiceRefunded']);
  });

  it('settles a charge whose answer was lost: money that was taken goes back', async () => {
    const orderId = orderWhoseChargeIsLost();
    const id = `${orderId}:1`;
    await place(orderId, [{ sku: 'east-only' }]);
    await expect(world.activities.chargeFulfillments(orderId, [id])).rejects.toThrow();
    const request = { fulfillmentId: null, cause: 'cancel-2', reason: 'test' };
    const { progress } = await world.activities.beginCancel(orderId, request);
    expect(progress.fulfillments).toMatchObject([{ status: 'cancelled', payment: 'pending', refundDue: true }]);
    expect((await world.activities.refundFulfillments(orderId)).fulfillments).toMatchObject([{ refundDue: false }]);
    expect(await world.charged(id)).toEqual({ taken: 1_700, refunded: 1_700 });
    expect(await types(orderId)).toEqual(['InvoiceIssued', 'CreditNoteIssued', 'InvoicePaid', 'InvoiceRefunded']);
  });

  it('refuses an answer that comes after the order was given up and its charge called off', async () => {
    const orderId = orderWhoseChargeIsLost('timeout', 'late');
    const id = `${orderId}:1`;
    await place(orderId, [{ sku: 'east-only' }]);
    await expect(world.activities.chargeFulfillments(orderId, [id])).rejects.toThrow();
    await world.activities.beginCancel(orderId, { fulfillmentId: null, cause: 'cancel-4', reason: 'test' });
    await world.activities.refundFulfillments(orderId);
    const progress = await world.activities.chargeFulfillments(orderId, [id]);
    expect(progress.fulfillments).toMatchObject([{ status: 'cancelled', payment: 'voided', refundDue: false }]);
    expect(await world.charged(id)).toEqual({ taken: 0, refunded: 0 });
    expect(await types(orderId)).toEqual(['InvoiceIssued', 'CreditNoteIssued', 'PaymentVoided']);
  });

  it('is not needed for what was given up before it was charged, and nothing is charged any more', async () => {
    await place('early', [{ sku: 'east-only' }]);
    await world.activities.beginCancel('early', { fulfillmentId: null, cause: 'cancel-3', reason: 'test' });
    const progress = await world.activities.chargeFulfillments('early', ['early:1']);
    expect(progress.fulfillments).toMatchObject([{ status: 'cancelled', payment: null }]);
    expect(await world.charged('early:1')).toBeNull();
  });
});
