import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import { createApiWorld } from '../helpers/api-world.ts';
import type { ApiWorld } from '../helpers/api-world.ts';

const MOST = 24;

let world: ApiWorld;
beforeAll(async () => {
  world = await createApiWorld();
});
afterAll(() => world.close());

/** Rows of a list, of which many are of the same moment; the moment is the row's only difference that matters. */
interface List {
  path: string;
  id: (item: Record<string, unknown>) => string;
  /** Puts one row per given moment (ms) into the empty tables. */
  fill(moments: readonly number[]): Promise<void>;
}

const BASE = Date.UTC(2026, 0, 1);
const at = (moment: number): string => new Date(BASE + moment).toISOString();
const name = (i: number): string => `n-${String(i).padStart(3, '0')}`;
const empty = async (...tables: string[]): Promise<void> => {
  await sql.raw(`truncate ${tables.join(', ')} cascade`).execute(world.db);
};

async function orders(moments: readonly number[]): Promise<void> {
  await empty('orders', 'ledger');
  for (const [i, moment] of moments.entries()) {
    // Every third is not taken by a worker yet.
    const insert =
      i % 3 === 0
        ? sql`insert into ledger (order_id, state, source, claimed_at, placed)
            values (${name(i)}, 'claimed', 's', ${at(moment)}::timestamptz + interval '3 microseconds',
              '{"customerId": "c", "currency": "GBP", "placedAt": 0, "items": []}')`
        : sql`insert into orders (order_id, run_id, source, customer_id, currency, status, placed_at, received_at)
            values (${name(i)}, 'r', 's', 'c', 'GBP', 'processing', now(), ${at(moment)})`;
    await insert.execute(world.db);
  }
}

async function shipments(moments: readonly number[]): Promise<void> {
  await empty('shipments');
  for (const [i, moment] of moments.entries()) {
    await sql`insert into shipments (shipment_id, order_id, status, booked_at)
      values (${`${name(i)}:1`}, ${name(i)}, 'booked', ${at(moment)})`.execute(world.db);
  }
}

async function invoices(moments: readonly number[]): Promise<void> {
  await empty('invoices');
  for (const [i, moment] of moments.entries()) {
    await sql`insert into invoices (invoice_id, series, number, fulfillment_id, order_id, customer_id, currency,
        sub_total, tax, shipping, total, lines, pricing, issued_at)
      values (${name(i)}, 'INV', ${i}, ${name(i)}, 'o', 'c', 'GBP', 0, 0, 0, 0, '[]', '{}', ${at(moment)})`.execute(
      world.db,
    );
    await sql`insert into credit_notes (credit_note_id, series, number, invoice_id, fulfillment_id, order_id,
        customer_id, currency, sub_total, tax, shipping, total, lines, reason)
      values (${name(i)}, 'CN', ${i}, ${name(i)}, ${name(i)}, 'o', 'c', 'GBP', 0, 0, 0, 0, '[]', 'r')`.execute(
      world.db,
    );
  }
}

async function deadLetters(moments: readonly number[]): Promise<void> {
  await empty('dead_letters');
  for (const [i, moment] of moments.entries()) {
    await sql`insert into dead_letters (id, code, message, record_topic, record_partition, record_offset, record_time,
        created_at)
      values (${name(i)}, 'OMS_INGEST_LATE', 'm', 't', 0, ${i}, now(),
        ${at(0)}::timestamptz + ${moment} * interval '1 microsecond')`.execute(world.db);
  }
}

async function stock(moments: readonly number[]): Promise<void> {
  await empty('stock', 'prices');
  for (const [i, moment] of moments.entries()) {
    await sql`insert into stock (sku, warehouse, on_hand) values (${name(moment)}, ${name(i)}, 0)`.execute(world.db);
    await sql`insert into prices (sku, currency, unit_price) values (${name(i)}, 'GBP', 0)`.execute(world.db);
  }
}

const LISTS: List[] = [
  { path: '/v1/orders', id: ({ orderId }) => String(orderId), fill: orders },
  { path: '/v1/orders?status=pending', id: ({ orderId }) => String(orderId), fill: orders },
  { path: '/v1/shipments', id: ({ shipmentId }) => String(shipmentId), fill: shipments },
  { path: '/v1/invoices', id: ({ invoiceId }) => String(invoiceId), fill: invoices },
  { path: '/v1/credit-notes', id: ({ creditNoteId }) => String(creditNoteId), fill: invoices },
  { path: '/v1/dead-letters', id: ({ id }) => String(id), fill: deadLetters },
  { path: '/v1/stock', id: ({ sku, warehouse }) => `${String(sku)} ${String(warehouse)}`, fill: stock },
  { path: '/v1/prices', id: ({ sku }) => String(sku), fill: stock },
];

describe('Paging', () => {
  it.each(LISTS)('through $path gives each item once and in order, whatever the size of a page', async (list) => {
    const moments = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: MOST });
    await fc.assert(
      fc.asyncProperty(moments, fc.integer({ min: 1, max: MOST + 1 }), async (given, limit) => {
        await list.fill(given);
        const whole = (await world.pages(list.path, 500)).map(list.id);
        const paged = (await world.pages(list.path, limit)).map(list.id);
        expect(paged).toEqual(whole);
        const isPart = list.path.includes('status');
        expect(new Set(whole).size).toBe(isPart ? Math.ceil(given.length / 3) : given.length);
      }),
      { numRuns: 12 },
    );
  });

  it('follows time, and of one moment the id', async () => {
    await orders([1, 0, 1, 2, 1]);
    const ids = (await world.pages('/v1/orders', 2)).map(({ orderId }) => orderId);
    expect(ids).toEqual([name(3), name(4), name(2), name(0), name(1)]);
  });

  it('goes on where it was when more comes in at the top', async () => {
    await invoices([0, 1, 2]);
    const { json } = await world.get('/v1/invoices?limit=2');
    await sql`insert into invoices (invoice_id, series, number, fulfillment_id, order_id, customer_id, currency,
      sub_total, tax, shipping, total, lines, pricing, issued_at)
      values ('new', 'INV', 99, 'new', 'o', 'c', 'GBP', 0, 0, 0, 0, '[]', '{}', now())`.execute(world.db);
    const rest = (await world.get(`/v1/invoices?limit=2&cursor=${String(json.next)}`)).json;
    expect(rest).toMatchObject({ items: [{ invoiceId: name(0) }], next: null });
  });

  it.each([
    'W10',
    'WyJhIiwiYiJd',
    Buffer.from('[1e300,"a"]').toString('base64url'),
    Buffer.from('[-1,"a"]').toString('base64url'),
  ])('refuses a cursor that is none of ours: %s', async (cursor) => {
    for (const path of ['orders', 'shipments', 'invoices', 'dead-letters']) {
      const { status, json } = await world.get(`/v1/${path}?cursor=${cursor}`);
      expect([status, json.field]).toEqual([400, 'cursor']);
    }
  });

  it('takes the last moment there is for a cursor, too', async () => {
    const cursor = Buffer.from('[8640000000000000,"a"]').toString('base64url');
    for (const path of ['orders', 'shipments', 'invoices', 'dead-letters', 'credit-notes']) {
      expect((await world.get(`/v1/${path}?cursor=${cursor}`)).status).toBe(200);
    }
  });
});
