import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { creditDifference } from '../../orders/money/credit-notes.ts';
import { fulfillmentOf } from '../../orders/record/record.ts';
import { orderStep } from '../../orders/record/step.ts';
import { always, createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';

let world: FulfillmentWorld;
beforeAll(async () => {
  world = await createFulfillmentWorld({
    paymentMode: 'capture-at-handover',
    payment: [always('declineCapture', 'closed')],
  });
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 10_000 }]);
});
afterAll(() => world.drop());

/** Charged and booked, as far as the providers answer. */
const booked = async (orderId: string): Promise<void> => {
  await world.place(orderId, [{ sku: 'e', quantity: 2 }]);
  await world.activities.takeOrder(orderId, 'run');
  await world.activities.tryFulfil(orderId, [`${orderId}:1`]);
};
const types = async (orderId: string) =>
  (await world.told(orderId)).flatMap(({ type, topic }) => (topic === 'invoices' ? [type] : []));
const payment = (orderId: string) =>
  world.db.selectFrom('payments').selectAll().where('order_id', '=', orderId).executeTakeFirstOrThrow();
const first = async (work: Promise<{ fulfillments: unknown[] }>) => (await work).fulfillments[0];
const stateOf = (orderId: string) => first(world.activities.trackShipments(orderId, []));
const cancel = { fulfillmentId: null, cause: 'c', reason: 'late' };

describe('With capture at hand-over', () => {
  it('money is held and invoiced before booking, and taken when the carrier has the goods', async () => {
    await booked('plain');
    expect(await payment('plain')).toMatchObject({ status: 'authorized', captured: 0, mode: 'capture-at-handover' });
    expect(await types('plain')).toEqual(['InvoiceIssued', 'PaymentAuthorized']);
    expect(await stateOf('plain')).not.toHaveProperty('captureDue');
    expect(await world.news('plain:1', 'dispatched')).toMatchObject({ wakes: true });
    expect(await stateOf('plain')).toMatchObject({ captureDue: true });
    const after = await first(world.activities.captureFulfillments('plain'));
    expect(after).toMatchObject({ payment: 'success', refundDue: false });
    expect(after).not.toHaveProperty('captureDue');
    await world.activities.captureFulfillments('plain');
    expect(await types('plain')).toEqual(['InvoiceIssued', 'PaymentAuthorized', 'InvoicePaid']);
    expect(await world.charged('plain:1')).toEqual({ taken: 2_900, refunded: 0 });
  });

  it('an order that was delivered does not close before its money is taken', async () => {
    await booked('delivered');
    await world.news('delivered:1', 'delivered');
    const request = { handled: [], timedOut: false };
    expect(await world.activities.closeOrder('delivered', request)).toMatchObject({ status: 'processing' });
    await world.activities.captureFulfillments('delivered');
    expect(await world.activities.closeOrder('delivered', request)).toMatchObject({ status: 'completed' });
  });

  it('what is cancelled before is let go: credited, voided, nothing taken', async () => {
    await booked('cancelled');
    await world.activities.callOffShipments('cancelled', ['cancelled:1'], cancel);
    await world.activities.refundFulfillments('cancelled');
    expect(await stateOf('cancelled')).toMatchObject({ payment: 'voided', refundDue: false });
    expect(await types('cancelled')).toEqual([
      'InvoiceIssued',
      'PaymentAuthorized',
      'CreditNoteIssued',
      'PaymentVoided',
    ]);
    expect(await world.charged('cancelled:1')).toEqual({ taken: 0, refunded: 0 });
  });

  it('what was amended before is taken less the difference, and nothing goes back', async () => {
    await booked('amended');
    await orderStep(world, 'amended', 'amend', (step) => {
      const f = fulfillmentOf(step.order, 'amended:1');
      if (f) creditDifference(step, f, [{ line: 1, quantity: 1 }], 'amended');
    });
    expect(await stateOf('amended')).toMatchObject({ payment: 'authorized', refundDue: false });
    await world.news('amended:1', 'dispatched');
    await world.activities.captureFulfillments('amended');
    expect(await world.charged('amended:1')).toEqual({ taken: 1_700, refunded: 0 });
    const paid = (await world.told('amended')).find(({ type }) => type === 'InvoicePaid');
    expect(paid).toMatchObject({ amount: 1_700, total: 2_900 });
  });

  it('a capture that is declined leaves the invoice open, and the goods go on', async () => {
    await booked('closed');
    await world.news('closed:1', 'dispatched');
    const f = await first(world.activities.captureFulfillments('closed'));
    expect(f).toMatchObject({ status: 'processing', payment: 'failed', shipment: 'dispatched', refundDue: false });
    await world.news('closed:1', 'delivered');
    const end = await world.activities.closeOrder('closed', { handled: [], timedOut: false });
    expect(end).toMatchObject({ status: 'completed', fulfillments: [{ payment: 'failed' }] });
    expect(await types('closed')).toEqual(['InvoiceIssued', 'PaymentAuthorized', 'PaymentFailed']);
  });

  it('goods that come back are paid back', async () => {
    await booked('returned');
    await world.news('returned:1', 'dispatched');
    await world.activities.captureFulfillments('returned');
    await world.news('returned:1', 'returnedToSender');
    await world.activities.refundFulfillments('returned');
    expect(await world.charged('returned:1')).toEqual({ taken: 2_900, refunded: 2_900 });
    expect(await stateOf('returned')).toMatchObject({ payment: 'refunded', refundDue: false });
  });

  it('goods that come back before their money was taken are never paid for', async () => {
    await booked('quick');
    await world.news('quick:1', 'dispatched');
    await world.news('quick:1', 'returnedToSender');
    expect(await stateOf('quick')).toMatchObject({ refundDue: true });
    await world.activities.refundFulfillments('quick');
    await world.activities.captureFulfillments('quick');
    expect(await world.charged('quick:1')).toEqual({ taken: 0, refunded: 0 });
    expect(await stateOf('quick')).toMatchObject({ payment: 'voided', refundDue: false });
  });
});
