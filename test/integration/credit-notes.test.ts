import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KeptLine } from '../../domain/invoice.ts';
import { creditDifference } from '../../orders/money/credit-notes.ts';
import { fulfillmentOf } from '../../orders/record/record.ts';
import { orderStep } from '../../orders/record/step.ts';
import { always, createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';
import { waitFor } from '../helpers/wait.ts';

let world: FulfillmentWorld;
beforeAll(async () => {
  world = await createFulfillmentWorld({
    payment: [always('decline', 'declined'), always('lost', 'unknown')],
    carrier: [always('refuse', 'refused')],
  });
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 10_000 },
    { warehouse: 'west', sku: 'w', onHand: 10_000 },
  ]);
});
afterAll(() => world.drop());

const place = async (orderId: string, items: Parameters<FulfillmentWorld['place']>[1]): Promise<void> => {
  await world.place(orderId, items);
  await world.activities.takeOrder(orderId, 'run');
};
const notesOf = (orderId: string) =>
  world.db.selectFrom('credit_notes').selectAll().where('order_id', '=', orderId).orderBy('number').execute();
const told = async (orderId: string, type: string) =>
  (await world.told(orderId)).filter((event) => event['type'] === type);
const types = async (orderId: string) => (await world.told(orderId)).map(({ type }) => type).filter((type) => type);
const cancelAll = (orderId: string) =>
  world.activities.beginCancel(orderId, { fulfillmentId: null, cause: 'cancel', reason: 'changed my mind' });
const amend = (orderId: string, kept: KeptLine[]) =>
  orderStep(world, orderId, 'amend', (step) => {
    const f = fulfillmentOf(step.order, `${orderId}:1`);
    if (f) creditDifference(step, f, kept, 'amended');
  });

describe('A credit note', () => {
  it('is drawn in full with the decline of a charge, and no money moves for it', async () => {
    await place('declined', [{ sku: 'e', quantity: 2 }]);
    const progress = await world.activities.chargeFulfillments('declined', ['declined:1']);
    expect(progress.fulfillments).toMatchObject([{ status: 'failed', payment: 'failed', refundDue: false }]);
    expect(await notesOf('declined')).toMatchObject([{ total: 2_900, refunded: 0, settled_at: expect.any(Date) }]);
    expect(await types('declined')).toEqual(['InvoiceIssued', 'PaymentFailed', 'CreditNoteIssued']);
  });

  it('is drawn when the carrier refuses the shipment, and is the key of the refund', async () => {
    await place('refused', [{ sku: 'e' }]);
    await world.activities.tryFulfil('refused', ['refused:1']);
    const [note] = await notesOf('refused');
    expect(note).toMatchObject({ total: 1_700, refunded: 0, settled_at: null, reason: expect.any(String) });
    await world.activities.refundFulfillments('refused');
    expect(await notesOf('refused')).toMatchObject([{ refunded: 1_700, settled_at: expect.any(Date) }]);
    const refunds = world.db.selectFrom('simulated_refunds').selectAll().where('key', '=', 'refused:1');
    expect(await refunds.execute()).toMatchObject([{ refund_key: note?.credit_note_id, amount: 1_700 }]);
  });

  it('tells of itself with its lines, and of the refund with the amount', async () => {
    await place('told', [{ sku: 'e', quantity: 2, unitPrice: 333 }]);
    await world.activities.chargeFulfillments('told', ['told:1']);
    await world.activities.callOffShipments('told', ['told:1'], { fulfillmentId: null, cause: 'c', reason: 'late' });
    await world.activities.refundFulfillments('told');
    const amounts = { subTotal: 666, tax: 133, shipping: 500, total: 1_299 };
    const [note] = await notesOf('told');
    const about = { ...amounts, creditNoteId: note?.credit_note_id, invoiceId: note?.invoice_id, reason: 'late' };
    const lines = [{ sku: 'e', quantity: 2, unitPrice: 333, amount: 666, tax: 133 }];
    expect(await told('told', 'CreditNoteIssued')).toMatchObject([{ ...about, lines, amount: null }]);
    expect(await told('told', 'InvoiceRefunded')).toMatchObject([{ ...about, lines: [], amount: 1_299 }]);
  });

  it('is not drawn for what was never invoiced', async () => {
    await place('early', [{ sku: 'e' }]);
    await cancelAll('early');
    expect(await notesOf('early')).toEqual([]);
  });

  it('is numbered without a gap, whoever draws them at once', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => `${i % 3 === 0 ? 'declined' : 'refused'}-${i}`);
    await Promise.all(ids.map((id) => place(id, [{ sku: 'e' }, { sku: 'w' }])));
    const numbers = world.db.selectFrom('credit_notes').select(['number', 'credit_note_id']).orderBy('number');
    // A quick attempt gives up what is not answered soon, and for a moment refuses the next: on a busy machine it takes several.
    const rows = await waitFor('a credit note for each fulfillment', async () => {
      await Promise.allSettled(ids.map((id) => world.activities.tryFulfil(id, [`${id}:1`, `${id}:2`])));
      const drawn = await numbers.execute();
      return drawn.length >= 2 * ids.length && drawn;
    });
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, i) => i + 1));
    expect(rows[0]?.credit_note_id).toBe('CN-00000001');
  });
});

describe('An amended fulfillment', () => {
  it('is credited the difference alone, once, and gets it back', async () => {
    await place('amended', [
      { sku: 'e', quantity: 3, unitPrice: 333 },
      { sku: 'e', quantity: 1, unitPrice: 7 },
    ]);
    await world.activities.chargeFulfillments('amended', ['amended:1']);
    await amend('amended', [{ line: 1, quantity: 2 }]);
    await amend('amended', [{ line: 1, quantity: 2 }]);
    expect(await notesOf('amended')).toMatchObject([{ sub_total: 340, tax: 68, shipping: 0, total: 408 }]);
    const progress = await world.activities.refundFulfillments('amended');
    expect(progress.fulfillments).toMatchObject([{ status: 'processing', payment: 'success', refundDue: false }]);
    expect(await world.charged('amended:1')).toEqual({ taken: 1_707, refunded: 408 });
  });

  it('that is given up later gets the rest back, by a second credit note', async () => {
    await place('both', [{ sku: 'e', quantity: 2 }]);
    await world.activities.chargeFulfillments('both', ['both:1']);
    await amend('both', [{ line: 1, quantity: 1 }]);
    await world.activities.callOffShipments('both', ['both:1'], { fulfillmentId: null, cause: 'c', reason: 'late' });
    await world.activities.refundFulfillments('both');
    expect((await notesOf('both')).map(({ total, refunded }) => [total, refunded])).toEqual([
      [1_200, 1_200],
      [1_700, 1_700],
    ]);
    const events = (await told('both', 'InvoiceRefunded')).map(({ eventId }) => eventId);
    expect(events).toEqual(['both/1/InvoiceRefunded/1', 'both/1/InvoiceRefunded/2']);
    expect(await world.charged('both:1')).toEqual({ taken: 2_900, refunded: 2_900 });
  });

  it('whose charge has no answer yet waits for it, and then gets the difference back', async () => {
    await place('unknown', [{ sku: 'e', quantity: 2 }]);
    await expect(world.activities.chargeFulfillments('unknown', ['unknown:1'])).rejects.toThrow();
    await amend('unknown', [{ line: 1, quantity: 1 }]);
    const [f] = (await world.activities.trackShipments('unknown', [])).fulfillments;
    expect(f).toMatchObject({ payment: 'pending', refundDue: false });
    await cancelAll('unknown');
    expect((await notesOf('unknown')).map(({ total }) => total)).toEqual([1_200, 1_700]);
  });

  it('without an invoice needs no credit note', async () => {
    await place('uninvoiced', [{ sku: 'e', quantity: 2 }]);
    await amend('uninvoiced', [{ line: 1, quantity: 1 }]);
    expect(await notesOf('uninvoiced')).toEqual([]);
  });

  it('cannot be billed for more than its invoice said', async () => {
    await place('grown', [{ sku: 'e' }]);
    await world.activities.chargeFulfillments('grown', ['grown:1']);
    await expect(amend('grown', [{ line: 1, quantity: 2 }])).rejects.toThrow('cannot grow from 1 to 2');
  });
});
