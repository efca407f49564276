import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PAYMENT_MODES } from '../../domain/money.ts';
import { toBook, toCapture, toCharge, toRefund } from '../../domain/progress.ts';
import { creditDifference } from '../../orders/money/credit-notes.ts';
import { setCustomerLimit } from '../../orders/money/spend.ts';
import { readOrder } from '../../orders/record/load.ts';
import { readProgress } from '../../orders/record/progress.ts';
import { fulfillmentOf } from '../../orders/record/record.ts';
import { orderStep } from '../../orders/record/step.ts';
import { amendOrder } from '../../orders/steps/amend.ts';
import { createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';
import { moneyFaults } from '../helpers/money-audit.ts';

const LONG = process.env['OMS_TEST_LONG'] === '1';
const RUNS = LONG ? 100 : 12;
/** Faults strike by chance of the key: this many rounds come through all of them. */
const ROUNDS = 60;

const DEEDS = [
  ...([
    'charge',
    'fulfil',
    'fulfil',
    'fulfil',
    'book',
    'cancel',
    'cancelOne',
    'amend',
    'credit',
    'refund',
    'capture',
  ] as const),
  ...(['dispatched', 'dispatched', 'dispatched', 'delivered', 'returnedToSender', 'limit'] as const),
];
type Deed = (typeof DEEDS)[number];
/** Each is done to an order of the scene, those of one moment at once. */
type Moment = { deed: Deed; order: number }[];

const line = fc.record({
  west: fc.boolean(),
  quantity: fc.integer({ min: 1, max: 4 }),
  unitPrice: fc.integer({ min: 1, max: 999 }),
});
const scene = fc.record({
  orders: fc.array(fc.array(line, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 3 }),
  moments: fc.array(
    fc.array(fc.record({ deed: fc.constantFrom(...DEEDS), order: fc.nat(2) }), { minLength: 1, maxLength: 3 }),
    { minLength: 6, maxLength: 20, size: 'max' },
  ),
});

describe.each(PAYMENT_MODES)('Whatever becomes of orders paid by %s', (paymentMode) => {
  let world: FulfillmentWorld;
  beforeAll(async () => {
    const all = { prefix: null };
    world = await createFulfillmentWorld({
      paymentMode,
      payment: [
        ...[{ kind: 'decline', share: 0.1, ...all } as const, { kind: 'declineCapture', share: 0.2, ...all } as const],
        ...[{ kind: 'lost', share: 0.2, ...all } as const, { kind: 'timeout', share: 0.15, ...all } as const],
        ...[{ kind: 'malformed', share: 0.05, ...all } as const, { kind: 'error', share: 0.05, ...all } as const],
      ],
      carrier: [
        { kind: 'refuse', share: 0.15, ...all },
        { kind: 'lost', share: 0.1, ...all },
      ],
    });
    await world.stock([
      { warehouse: 'east', sku: 'e', onHand: 1_000_000 },
      { warehouse: 'west', sku: 'w', onHand: 1_000_000 },
    ]);
  });
  afterAll(() => world.drop());

  const credits = new Map<string, number>();
  const idsOf = async (orderId: string) => (await readProgress(world.db, orderId)).fulfillments.map(({ id }) => id);

  async function act(orderId: string, deed: Deed): Promise<unknown> {
    const { activities, db } = world;
    const ids = await idsOf(orderId);
    const request = { fulfillmentId: null, cause: `${orderId}/${deed}`, reason: 'changed my mind' };
    switch (deed) {
      case 'charge':
        return activities.chargeFulfillments(orderId, ids);
      case 'fulfil':
        return activities.tryFulfil(orderId, ids);
      case 'book':
        return activities.bookShipments(orderId, ids);
      case 'cancel':
        return cancel(orderId, request);
      case 'cancelOne':
        return cancel(orderId, { ...request, fulfillmentId: `${orderId}:1` });
      case 'amend':
        return amend(orderId);
      case 'credit':
        return credit(orderId);
      case 'refund':
        return activities.refundFulfillments(orderId);
      case 'capture':
        return activities.captureFulfillments(orderId);
      case 'limit':
        return setCustomerLimit(db, { customerId: 'customer-1', currency: 'GBP', limit: await spentAndABit() });
      case 'dispatched':
      case 'delivered':
      case 'returnedToSender':
        await attempt(orderId, 'fulfil');
        return news(`${orderId}:1`, deed);
    }
  }

  /** Only a provider may fail it; or two credits at once, in the wrong order. */
  async function attempt(orderId: string, deed: Deed): Promise<void> {
    await act(orderId, deed).catch((error: unknown) => {
      if (!/simulated (payment|carrier): |the provider failed a moment ago|cannot grow from/.test(String(error)))
        throw error;
    });
  }

  async function cancel(orderId: string, request: Parameters<typeof world.activities.beginCancel>[1]): Promise<void> {
    const { askCarrier } = await world.activities.beginCancel(orderId, request);
    if (askCarrier.length > 0) await world.activities.callOffShipments(orderId, askCarrier, request);
  }

  /** One piece less of each line. */
  async function amend(orderId: string): Promise<void> {
    const held = await readOrder(world.db, orderId);
    const items = (held?.fulfillments ?? []).flatMap((f) => f.items);
    const fewer = items.map(({ sku, quantity, unitPrice }) => ({
      sku,
      quantity: quantity - 1,
      unitPrice,
      description: null,
    }));
    const left = fewer.filter(({ quantity }) => quantity > 0);
    if (left.length > 0) await amendOrder(world, orderId, { cause: randomUUID(), items: left, shipTo: null });
  }

  /** Ever less of each line stays billed, also of what is booked. */
  async function credit(orderId: string): Promise<void> {
    const less = (credits.get(orderId) ?? 0) + 1;
    credits.set(orderId, less);
    await orderStep(world, orderId, 'credit', ({ order, ...step }) => {
      for (const f of order.fulfillments.filter((f) => f.shipment?.dispatchedAt == null)) {
        const kept = f.items.map((item) => ({ line: item.line, quantity: Math.max(0, item.quantity - less) }));
        creditDifference({ order, ...step }, f, kept, 'a part of it is not owed');
      }
    });
  }

  /** The carrier tells nothing of what it never had. */
  async function news(id: string, status: 'dispatched' | 'delivered' | 'returnedToSender'): Promise<void> {
    const held = await world.db
      .selectFrom('simulated_bookings')
      .select('status')
      .where('key', '=', id)
      .executeTakeFirst();
    if (held?.status !== 'booked') return;
    await world.db.updateTable('simulated_bookings').set({ status: 'dispatched' }).where('key', '=', id).execute();
    await world.news(id, status);
  }

  async function spentAndABit(): Promise<number> {
    const row = await world.db.selectFrom('customer_spend').select('spent').executeTakeFirst();
    return (row?.spent ?? 0) + 3_000;
  }

  /** As the workflow does: whatever is due, until nothing is. */
  async function comeToRest(orderId: string): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      const progress = await readProgress(world.db, orderId);
      const due: Deed[] = [
        ...(toRefund(progress).length > 0 ? (['refund'] as const) : []),
        ...(toCapture(progress).length > 0 ? (['capture'] as const) : []),
        ...(toCharge(progress).length > 0 ? (['charge'] as const) : []),
        ...(toBook(progress).length > 0 ? (['book'] as const) : []),
      ];
      if (due.length === 0) return;
      for (const deed of due) await attempt(orderId, deed);
    }
    throw new Error(`${orderId} does not come to rest`);
  }

  it(`the books add up: captured − refunded = invoiced − credited − owed`, async () => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ orders, moments }) => {
        const run = randomUUID().slice(0, 8);
        const ids = orders.map((_, i) => `${run}-${i}`);
        for (const [i, lines] of orders.entries()) {
          const items = lines.map(({ west, ...rest }) => ({ sku: west ? 'w' : 'e', ...rest }));
          await world.place(ids[i] ?? '', items);
          await world.activities.takeOrder(ids[i] ?? '', 'run');
        }
        for (const moment of moments satisfies Moment[]) {
          await Promise.all(moment.map(({ deed, order }) => attempt(ids[order % ids.length] ?? '', deed)));
        }
        await setCustomerLimit(world.db, { customerId: 'customer-1', currency: 'GBP', limit: null });
        for (const id of ids) await comeToRest(id);
        expect(await moneyFaults(world.db)).toEqual([]);
        for (const id of ids) await expectToldSums(id);
      }),
      { numRuns: RUNS },
    );
  });

  /** A reader of the invoices topic who adds up what it is told comes to the same sums. */
  async function expectToldSums(orderId: string): Promise<void> {
    const told = (await world.told(orderId)).filter(({ topic }) => topic === 'invoices');
    const order = await readOrder(world.db, orderId);
    const sumOf = (id: string, type: string, field: string): number =>
      told
        .filter((event) => event['type'] === type && event['fulfillmentId'] === id)
        .reduce((sum, event) => sum + Number(event[field]), 0);
    for (const id of await idsOf(orderId)) {
      const f = order ? fulfillmentOf(order, id) : undefined;
      expect([id, sumOf(id, 'InvoiceIssued', 'total')]).toEqual([id, f?.invoice?.total ?? 0]);
      expect([id, sumOf(id, 'InvoicePaid', 'amount')]).toEqual([id, f?.payment?.captured ?? 0]);
      expect([id, sumOf(id, 'InvoiceRefunded', 'amount')]).toEqual([id, f?.payment?.refunded ?? 0]);
      const credited = (f?.creditNotes ?? []).reduce((sum, note) => sum + note.total, 0);
      expect([id, sumOf(id, 'CreditNoteIssued', 'total')]).toEqual([id, credited]);
    }
  }
});
