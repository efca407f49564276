import { describe, expect, it } from '@jest/globals';
import { leftOf } from '../../domain/invoice.ts';
import { sum } from '../../domain/money.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import { linesOfSums } from '../../operations/rebuild/order/forgotten.ts';
import { rebuiltOrder } from '../../operations/rebuild/order/rebuilt-order.ts';
import { toldOrder } from '../../operations/rebuild/order/told.ts';
import type { Told } from '../../operations/rebuild/order/told.ts';
import type { OrderRecord } from '../../orders/record/record.ts';
import type { FulfillmentRecord as ToldFulfillment, Sequences } from '../../schemas/index.ts';

const placed: PlacedOrder = {
  ...{ orderId: 'A', customerId: 'c', currency: 'GBP', source: 'shop', placedAt: 1, shipTo: null },
  items: [
    { sku: 'S', quantity: 2, unitPrice: 100, description: null },
    { sku: 'T', quantity: 1, unitPrice: 500, description: 'a thing' },
    { sku: 'S', quantity: 5, unitPrice: 90, description: null },
  ],
};

const part: ToldFulfillment = {
  ...{ id: 'A:1', warehouse: 'east', status: 'processing', items: [{ sku: 'S', quantity: 2 }] },
  ...{ payment: null, invoiceId: null, invoicedAt: null, creditNotes: null },
  ...{ shipmentStatus: null, trackingNumber: null },
};

const envelope = (version: number, sequence: number) => ({
  ...{ eventId: `e-${version}`, orderId: 'A', version, sequence, occurredAt: version * 1_000, cause: 'x' },
});

function statusAt(version: number, fulfillment: Partial<ToldFulfillment> = {}, status = 'processing'): Told {
  const head = { reason: null, source: 'shop', customerId: 'c', currency: 'GBP', placedAt: 1, receivedAt: 2 };
  const event = { ...envelope(version, version), status, ...head, closedAt: null, overdue: null, sequences: null };
  return { topic: 'order-status', event: { ...event, fulfillments: [{ ...part, ...fulfillment }] } } as Told;
}

/** A status that is not the only event of its order. */
function numbered(version: number, sequence: number, sequences: Sequences | null): Told {
  const status = statusAt(version);
  return { ...status, event: { ...status.event, sequence, sequences } } as Told;
}

const SUMS = { subTotal: 200, tax: 40, shipping: 60, total: 300 };
/** As statuses told it before they told what was taken and given back. */
const PAID = { status: 'success' as const, ...SUMS, captured: null, refunded: null };

function money(version: number, type: string, more: Record<string, unknown> = {}): Told {
  const ids = { invoiceId: 'INV-00000007', fulfillmentId: 'A:1', customerId: 'c', currency: 'GBP' };
  const none = { lines: [], paymentReference: null, authCode: null, creditNoteId: null, reason: null, amount: null };
  return {
    topic: 'invoices',
    event: { ...envelope(version, version), type, ...ids, ...SUMS, ...none, ...more },
  } as Told;
}

function shipment(version: number, type: string, status: string): Told {
  const about = { shipmentId: 'A:1', status, warehouse: 'east', items: [], carrier: 'RP', reason: null };
  const event = { ...envelope(version, version), type, ...about, bookingReference: 'BK-1', trackingNumber: 'T-1' };
  return { topic: 'shipments', event } as Told;
}

function delivery(version: number, type: string): Told {
  const about = { shipmentId: 'A:1', carrier: 'RP', trackingNumber: 'T-1', reason: null, carrierTime: null };
  const eventId = `A/1/${type}/1`;
  return { topic: 'deliveries', event: { ...envelope(version, version), eventId, type, ...about } } as Told;
}

const LINES = [{ sku: 'S', quantity: 2, unitPrice: 100, amount: 200, tax: 40 }];
const issued = money(2, 'InvoiceIssued', { lines: LINES });

function rebuilt(...told: Told[]): OrderRecord {
  const order = toldOrder(told);
  if (!order) throw new Error('no status');
  return rebuiltOrder(order, placed, { keepsStock: true });
}

describe('An order rebuilt from what was told of it', () => {
  it('is as its status of the highest version says, wherever that stands on its topic', () => {
    const order = rebuilt(statusAt(5, { status: 'completed' }, 'completed'), statusAt(1));
    expect(order).toMatchObject({ status: 'completed', version: 5, sequences: { 'order-status': 5 } });
    expect(toldOrder([issued])).toBeUndefined();
  });

  it('has the lines and prices it was placed with, each line once in a fulfillment', () => {
    const items = [
      { sku: 'S', quantity: 2 },
      { sku: 'S', quantity: 5 },
      { sku: 'U', quantity: 1 },
    ];
    expect(rebuilt(statusAt(1, { items })).fulfillments[0]?.items).toEqual([
      { line: 1, sku: 'S', quantity: 2, unitPrice: 100 },
      { line: 3, sku: 'S', quantity: 5, unitPrice: 90 },
      { line: 4, sku: 'U', quantity: 1, unitPrice: null },
    ]);
  });

  it('has its invoice with number, lines and tax rate, and waits for a charge that has no answer', () => {
    const [f] = rebuilt(statusAt(1, { status: 'pending' }), issued).fulfillments;
    expect(f?.invoice).toMatchObject({ invoiceId: 'INV-00000007', series: 'INV', number: 7, ...SUMS });
    expect(f?.invoice?.drawn).toMatchObject({ lines: [{ line: 1, ...LINES[0] }], pricing: { taxBasisPoints: 2_000 } });
    expect(f).toMatchObject({ status: 'processing', payment: { status: 'pending', mode: 'charge', captured: 0 } });
    expect(f?.shipment).toBeNull();
  });

  it('follows events whose status was lost: paid, booked, dispatched, delivered', () => {
    const paid = [
      statusAt(1),
      issued,
      money(3, 'InvoicePaid', { amount: 300, authCode: 'OK', paymentReference: 'ch' }),
    ];
    expect(rebuilt(...paid).fulfillments[0]).toMatchObject({
      payment: { status: 'success', captured: 300, authCode: 'OK', reference: 'ch', settledAt: 3_000 },
      shipment: { status: 'pending', bookedAt: null },
    });
    const gone = [...paid, shipment(4, 'ShipmentBooked', 'booked'), shipment(5, 'ShipmentDispatched', 'dispatched')];
    expect(rebuilt(...gone).fulfillments[0]?.shipment).toMatchObject({
      ...{ status: 'dispatched', carrier: 'RP', bookingReference: 'BK-1', trackingNumber: 'T-1' },
      ...{ bookedAt: 4_000, dispatchedAt: 5_000, endedAt: null },
    });
    const failed = rebuilt(...gone, delivery(6, 'DeliveryFailed')).fulfillments[0];
    expect(failed?.shipment).toMatchObject({ status: 'deliveryFailed', failedAttempts: 1 });
    const there = rebuilt(...gone, delivery(6, 'DeliveryFailed'), delivery(7, 'Delivered')).fulfillments[0];
    expect(there).toMatchObject({ status: 'completed', shipment: { status: 'delivered', endedAt: 7_000 } });
  });

  it('owes what was credited and not given back, and nothing else', () => {
    const paid = [issued, money(3, 'InvoicePaid', { amount: 300 })];
    const note = money(4, 'CreditNoteIssued', { creditNoteId: 'CN-00000003', reason: 'amended', total: 100 });
    const billed = { payment: PAID };
    const owed = rebuilt(...paid, note, statusAt(5, billed)).fulfillments[0];
    expect(owed?.creditNotes).toMatchObject([{ number: 3, total: 100, refunded: 0, settledAt: null }]);
    const refund = money(6, 'InvoiceRefunded', { creditNoteId: 'CN-00000003', total: 100, amount: 100 });
    const settled = rebuilt(...paid, note, statusAt(5, billed), refund).fulfillments[0];
    expect(settled?.creditNotes).toMatchObject([{ refunded: 100, settledAt: 6_000 }]);
    expect(settled?.payment).toMatchObject({ status: 'success', captured: 300, refunded: 100 });
  });

  it('whose part was credited before the money was taken owes nothing back', () => {
    const told = [
      issued,
      money(3, 'PaymentAuthorized', { amount: 300 }),
      money(4, 'CreditNoteIssued', { creditNoteId: 'CN-00000001', total: 100 }),
      money(5, 'InvoicePaid', { amount: 200 }),
      statusAt(6, { payment: PAID }),
    ];
    const [f] = rebuilt(...told).fulfillments;
    expect(f?.payment).toMatchObject({ status: 'success', mode: 'capture-at-handover', captured: 200, refunded: 0 });
    expect(f?.creditNotes[0]?.settledAt).toBe(4_000);
  });

  it('whose events are older than their topic keeps still has its sums', () => {
    const told = { payment: PAID, invoiceId: 'INV-00000002' };
    const [f] = rebuilt(statusAt(9, { ...told, shipmentStatus: 'delivered', status: 'completed' })).fulfillments;
    expect(f?.invoice).toMatchObject({ number: 2, total: 300, issuedAt: 2 });
    expect(f?.invoice?.drawn?.lines).toEqual([
      { line: 1, sku: 'S', quantity: 2, unitPrice: 100, amount: 200, tax: 40 },
    ]);
    expect(f?.payment).toMatchObject({ status: 'success', captured: 300 });
    expect(f?.shipment).toMatchObject({ status: 'delivered', bookedAt: 9_000, dispatchedAt: 9_000, endedAt: 9_000 });
  });

  it('whose events are gone owes what its status tells, and nothing twice', () => {
    const note = { creditNoteId: 'CN-00000004', issuedAt: 3, reason: 'amended', settledAt: 4 };
    const credited = { ...note, subTotal: 100, tax: 20, shipping: 0, total: 120, refunded: 120 };
    const told = { payment: { ...PAID, captured: 300, refunded: 120 }, invoiceId: 'INV-00000002' };
    const left = { items: [{ sku: 'S', quantity: 1 }], creditNotes: [credited] };
    const [f] = rebuilt(statusAt(9, { ...told, ...left })).fulfillments;
    expect(f?.payment).toMatchObject({ status: 'success', captured: 300, refunded: 120 });
    expect(f?.creditNotes).toMatchObject([{ number: 4, total: 120, refunded: 120, settledAt: 4, issuedAt: 3 }]);
    const invoice = { ...SUMS, lines: f?.invoice?.drawn?.lines ?? [] };
    const notes = (f?.creditNotes ?? []).map((one) => ({ ...one, lines: one.drawn?.lines ?? [] }));
    expect(leftOf(invoice, notes)).toEqual({
      ...{ subTotal: 100, tax: 20, shipping: 60, total: 180 },
      lines: [{ line: 1, sku: 'S', quantity: 1, unitPrice: 100, amount: 100, tax: 20 }],
    });
    expect(sum(invoice.lines.map(({ amount }) => amount))).toBe(SUMS.subTotal);
  });

  it('whose events are gone, but for the newest, has both counted', () => {
    const note = { creditNoteId: 'CN-00000004', issuedAt: 3, reason: 'amended', settledAt: null };
    const credited = { ...note, subTotal: 50, tax: 10, shipping: 0, total: 60, refunded: 0 };
    const payment = { ...PAID, captured: 300, refunded: 0 };
    const status = statusAt(9, { payment, invoiceId: 'INV-00000002', creditNotes: [credited] });
    const [was] = rebuilt(status).fulfillments;
    expect(was?.creditNotes).toMatchObject([{ refunded: 0, settledAt: null }]);
    const refund = money(10, 'InvoiceRefunded', { creditNoteId: 'CN-00000004', total: 60, amount: 60 });
    const another = money(11, 'CreditNoteIssued', { creditNoteId: 'CN-00000005', subTotal: 50, tax: 10, total: 60 });
    const [is] = rebuilt(status, refund, another).fulfillments;
    expect(is?.payment).toMatchObject({ captured: 300, refunded: 60 });
    expect(is?.creditNotes).toMatchObject([
      { number: 4, refunded: 60, settledAt: 10_000 },
      { number: 5, refunded: 0, settledAt: null },
    ]);
  });

  it.each([
    ['by their prices, where these come to the sum', 200, 40, [200], [40]],
    ['by weight to the last unit, where they do not', 199, 41, [199], [41]],
  ])('shares what is left of a forgotten invoice among its items %s', (_, subTotal, tax, amounts, taxes) => {
    const payment = { ...PAID, subTotal, tax, total: subTotal + tax + 60 };
    const [f] = rebuilt(statusAt(9, { payment, invoiceId: 'INV-00000002' })).fulfillments;
    expect(f?.invoice?.drawn?.lines.map((line) => line.amount)).toEqual(amounts);
    expect(f?.invoice?.drawn?.lines.map((line) => line.tax)).toEqual(taxes);
  });

  it('whose invoice is forgotten has items of the order’s own price at that, and the price list’s at the rest', () => {
    const items = [
      { line: 1, sku: 'A', quantity: 1, unitPrice: 1_000 },
      { line: 2, sku: 'B', quantity: 2, unitPrice: null },
    ];
    const amounts = (subTotal: number) => linesOfSums({ subTotal, tax: 0 }, [], items, 0).map(({ amount }) => amount);
    expect(amounts(1_010)).toEqual([1_000, 10]);
    expect(amounts(1_000)).toEqual([1_000, 0]);
    // Prices that do not come to the sum say nothing.
    expect(amounts(900)).toEqual([300, 600]);
  });

  it('whose tax is less than its rate can tell has it all the same', () => {
    const items = [{ line: 1, sku: 'A', quantity: 1, unitPrice: 100_000 }];
    expect(linesOfSums({ subTotal: 100_000, tax: 3 }, [], items, 0).map(({ tax }) => tax)).toEqual([3]);
  });

  it('whose attempts to deliver are numbered goes on behind the last, and behind all that are forgotten', () => {
    const at = { shipmentStatus: 'deliveryFailed' as const, payment: PAID, invoiceId: 'INV-00000002' };
    const second = delivery(8, 'DeliveryFailed');
    second.event.eventId = 'A/1/DeliveryFailed/2';
    expect(rebuilt(second, statusAt(9, at)).fulfillments[0]?.shipment?.failedAttempts).toBe(2);
    const told = statusAt(9, at);
    const sequences = { shipments: 2, invoices: 2, deliveries: 3 };
    const alone = { ...told, event: { ...told.event, sequences } } as Told;
    expect(rebuilt(alone).fulfillments[0]?.shipment?.failedAttempts).toBe(3);
  });

  it('has its documents with the dates they were told with', () => {
    const paid = [issued, money(3, 'InvoicePaid', { amount: 300 })];
    const note = money(4, 'CreditNoteIssued', { creditNoteId: 'CN-00000003', total: 100 });
    const told = { invoiceId: 'INV-00000007', payment: PAID };
    const [f] = rebuilt(...paid, note, statusAt(5, told)).fulfillments;
    expect([f?.invoice?.issuedAt, f?.creditNotes[0]?.issuedAt]).toEqual([2_000, 4_000]);
    const [old] = rebuilt(statusAt(9, { ...told, invoicedAt: 2_000 })).fulfillments;
    expect(old?.invoice?.issuedAt).toBe(2_000);
  });

  it('counts on behind every number its status tells, and behind those that were told later', () => {
    const sequences = { shipments: 1, invoices: 2, deliveries: 0 };
    expect(rebuilt(numbered(5, 2, sequences)).sequences).toEqual({ 'order-status': 2, shipments: 1, invoices: 2 });
    const later = { ...shipment(6, 'ShipmentDispatched', 'dispatched') };
    later.event = { ...later.event, sequence: 2 };
    expect(rebuilt(numbered(5, 2, sequences), later).sequences).toMatchObject({ shipments: 2, invoices: 2 });
  });

  it('counts on behind all that its version leaves room for, where its status is from before numbers were told', () => {
    const paid = money(3, 'InvoicePaid');
    paid.event.sequence = 2;
    // Of five events two are statuses and two stand on invoices: the fifth is on shipments or deliveries.
    expect(rebuilt(paid, numbered(5, 2, null)).sequences).toEqual({
      ...{ 'order-status': 2, invoices: 2, shipments: 1, deliveries: 1 },
    });
    const booked = shipment(4, 'ShipmentBooked', 'booked');
    booked.event.sequence = 1;
    expect(rebuilt(paid, booked, numbered(5, 2, null)).sequences).not.toHaveProperty('deliveries');
  });
});
