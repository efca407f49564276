import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { stringify } from 'csv-stringify';
import { readCursor, writeCursor } from '../../database/read/cursor.ts';
import { listOrders } from '../../database/read/orders.ts';
import type { OrderFilter } from '../../database/read/orders.ts';
import { ORDER_STATUSES } from '../../domain/status.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { customerId, givenTime, identifier, oneOrMoreOf, paging, placeOf, problems, sku, typed } from './atoms.ts';
import { listedJson } from './order-json.ts';
import { orderPage } from './order-schemas.ts';

const filter = {
  status: oneOrMoreOf(ORDER_STATUSES).optional(),
  customer: customerId.optional(),
  source: identifier(100).optional(),
  sku: sku.optional().describe('Orders with a line of this SKU.'),
  from: givenTime.optional().describe('Received at or after.'),
  to: givenTime.optional().describe('Received before.'),
  overdue: z.enum(['shipBy', 'deliverBy', 'any']).optional().describe('Orders whose promise was not kept.'),
  q: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\u0000]*$/, 'must not contain the character U+0000')
    .optional()
    .describe('The beginning of an order id, or a customer id, tracking, invoice or credit note number.'),
};
const query = z.object({ ...filter, ...paging }).strict();

function filterOf({ customer, q, limit: _limit, cursor: _cursor, ...rest }: z.output<typeof query>): OrderFilter {
  return {
    ...rest,
    ...(customer === undefined ? {} : { customerId: customer }),
    ...(q === undefined ? {} : { text: q }),
  };
}

const COLUMNS = [
  'orderId',
  'status',
  'reason',
  'source',
  'customerId',
  'currency',
  'overdue',
  'placedAt',
  'receivedAt',
  'closedAt',
];

/** Lists of orders, as pages and as one CSV file. */
export function registerOrderLists(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/orders',
    {
      schema: {
        operationId: 'listOrders',
        summary: 'Orders, newest first.',
        tags: ['orders'],
        querystring: query,
        response: { 200: orderPage, ...problems() },
      },
    },
    async ({ query: given }) => {
      const page = await listOrders(db, filterOf(given), placeOf(given, readCursor));
      return { items: page.items.map(listedJson), next: page.next && writeCursor(page.next) };
    },
  );
  typed(app).get(
    '/orders.csv',
    {
      schema: {
        operationId: 'exportOrders',
        summary: 'All orders that match, as CSV, newest first.',
        tags: ['orders'],
        querystring: z.object(filter).strict(),
        response: {
          200: { description: 'CSV with a header line.', content: { 'text/csv': { schema: z.any() } } },
          ...problems(),
        },
      },
    },
    async ({ query: given }, reply) => {
      const rows = pages((after) => listOrders(db, filterOf({ ...given, limit: 0 }), { after, limit: CSV_PAGE }));
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="orders.csv"')
        .send(csvOf(COLUMNS, rows));
    },
  );
}

const CSV_PAGE = 1_000;

async function* pages(read: (after: Parameters<typeof listOrders>[2]['after']) => ReturnType<typeof listOrders>) {
  let page = await read(undefined);
  for (;;) {
    yield* page.items.map(listedJson);
    if (!page.next) return;
    page = await read(page.next);
  }
}

/** Rows as a CSV stream with a header line; what a spreadsheet would take for a formula is made text. */
function csvOf(columns: readonly string[], rows: AsyncIterable<Record<string, unknown>>): Readable {
  return Readable.from(rows).pipe(stringify({ header: true, columns: [...columns], escape_formulas: true }));
}
