import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { readTextCursor, writeTextCursor } from '../../database/read/cursor.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { parseLevels } from '../../orders/intake/levels-csv.ts';
import type { ParsedLevels } from '../../orders/intake/levels-csv.ts';
import { MAX_PIECES, MAX_WAREHOUSE_CHARACTERS, sentLevel, sentPrice } from '../../orders/intake/levels.ts';
import { takeInPrices } from '../../orders/money/price-list.ts';
import { applyLevels, findLevel, listStock, setStock, takeInLevels } from '../../orders/stock/stock-levels.ts';
import type { HeldStock } from '../../orders/stock/stock-levels.ts';
import type { StockLevel } from '../../schemas/index.ts';
import { answerOnce, give } from '../commands/answer-once.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { idempotencyKey, identifier, next, paging, placeOf, problems, sku, typed } from './atoms.ts';

const warehouse = identifier(MAX_WAREHOUSE_CHARACTERS).describe('Where it lies.');

const stockLevel = z
  .object({
    sku: z.string(),
    warehouse: z.string(),
    onHand: z.int().describe('Pieces that are there, those promised to orders included.'),
    reserved: z.int().describe('Promised to orders.'),
    free: z.int().describe('What new orders can still be promised.'),
    shortage: z.int().describe('Promised to orders, and not there.'),
    levelVersion: z.int().nullable().describe('Of the newest level from upstream; null before the first.'),
  })
  .meta({ id: 'StockLevel' });

const stockPage = z.object({ items: z.array(stockLevel), next }).meta({ id: 'StockPage' });

const pieces = z.int('must be a whole number').min(0, 'must be 0 or more').max(MAX_PIECES, 'must be at most 10^12');
const levelVersion = z.int('must be a whole number').min(0, 'must be 0 or more').max(Number.MAX_SAFE_INTEGER);

const levelRequest = z
  .object({
    onHand: pieces.describe('Pieces that are there, those promised to orders included.'),
    version: levelVersion
      .optional()
      .describe(
        "With one it is upstream's: only a version higher than all before counts. Without, it is counted by hand and holds until upstream sends its next.",
      ),
  })
  .strict()
  .meta({ id: 'NewStockLevel' });

const setLevel = stockLevel
  .extend({ applied: z.boolean().describe('False when the version was known, or older: nothing has changed.') })
  .meta({ id: 'SetStockLevel' });

const takenIn = z
  .object({
    levels: z.int().describe('Lines that were read.'),
    applied: z.int().describe('Levels that were the newest of their SKU and warehouse.'),
    prices: z.int().describe('Prices that have changed.'),
    shortages: z.array(stockLevel).describe('Where less is there now than orders were promised.'),
  })
  .meta({ id: 'TakenInLevels' });

const ofLevel = z.object({ sku, warehouse });

const query = z.object({ sku: sku.optional(), warehouse: warehouse.optional(), ...paging }).strict();

/** Stock levels: look, set one, take in a CSV of them. */
export function registerStock(app: FastifyInstance, deps: ApiDependencies): void {
  registerLooks(app, deps);
  registerSet(app, deps);
  void app.register(async (scope) => registerBulk(scope, deps));
}

function registerLooks(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/stock',
    {
      schema: {
        operationId: 'listStock',
        summary: 'Stock levels, by SKU and warehouse.',
        tags: ['stock'],
        querystring: query,
        response: { 200: stockPage, ...problems() },
      },
    },
    async ({ query: given }) => {
      const { items, next } = await listStock(db, given, placeOf(given, readTextCursor));
      return { items: items.map(levelJson), next: next && writeTextCursor(next) };
    },
  );
  typed(app).get(
    '/stock/:sku/:warehouse',
    {
      schema: {
        operationId: 'getStock',
        summary: 'The stock level of a SKU in a warehouse.',
        tags: ['stock'],
        params: ofLevel,
        response: { 200: stockLevel, ...problems(404) },
      },
    },
    async ({ params }) => levelJson(await levelOf(db, params)),
  );
}

/** @throws OmsError OMS_STOCK_UNKNOWN */
async function levelOf(db: ApiDependencies['db'], { sku, warehouse }: z.output<typeof ofLevel>): Promise<HeldStock> {
  const found = await findLevel(db, sku, warehouse);
  if (found) return found;
  throw new OmsError('OMS_STOCK_UNKNOWN', `no stock of ${sku} in ${warehouse}`);
}

function levelJson(level: HeldStock): z.output<typeof stockLevel> {
  return { ...level, free: level.onHand + level.shortage - level.reserved };
}

function registerSet(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).put(
    '/stock/:sku/:warehouse',
    {
      schema: {
        operationId: 'setStock',
        summary: 'Set the stock level of a SKU in a warehouse.',
        description: 'Orders keep what they were promised; what is not there for it shows as a shortage.',
        tags: ['stock'],
        params: ofLevel,
        body: levelRequest,
        response: { 200: setLevel, ...problems(413, 415) },
      },
    },
    async ({ params, body: { onHand, version } }) => {
      if (version === undefined) return { ...levelJson(await setStock(db, { ...params, onHand })), applied: true };
      const { applied } = await applyLevels(db, [{ ...params, onHand, version, countedAt: Date.now() }]);
      return { ...levelJson(await levelOf(db, params)), applied: applied.size > 0 };
    },
  );
}

const CSV_ABOUT = `Columns: \`sku\`, \`warehouse\`, \`onHand\`, \`version\`; optional \`occurredAt\` (RFC 3339, else now), and
\`unitPrice\` (minor units) with \`currency\`. All lines are checked first: if one is not acceptable, nothing is taken in, and the
answer names its \`line\`, \`field\`, \`value\` and \`rule\`. A version that is known, or older, changes nothing, so a file may be sent again.`;

function registerBulk(app: FastifyInstance, { db }: ApiDependencies): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  typed(app).post(
    '/stock',
    {
      schema: {
        operationId: 'postStock',
        summary: 'Take in many stock levels, and prices, as CSV: all or none.',
        description: CSV_ABOUT.replaceAll('\n', ' '),
        tags: ['stock'],
        consumes: ['text/csv'],
        headers: idempotencyKey,
        body: z.string().describe('CSV with a header line.'),
        response: { 200: takenIn, ...problems(413, 415, 422) },
      },
    },
    async ({ body, headers }, reply) => {
      const request = { key: headers['idempotency-key'], scope: 'POST /v1/stock', content: body };
      const answer = await answerOnce(db, request, async (tx) => {
        const { short, ...counts } = await takeInCsv(tx, body, Date.now());
        return { status: 200, body: { ...counts, shortages: short.map(levelJson) } };
      });
      return give(reply, answer).send(answer.body as z.output<typeof takenIn>);
    },
  );
}

/** What became of a CSV of levels. */
interface TakenInLevels {
  levels: number;
  /** Those that were the newest of their SKU and warehouse. */
  applied: number;
  /** Prices that have changed. */
  prices: number;
  /** Where less is there now than orders were promised. */
  short: HeldStock[];
}

/**
 * Takes a CSV of stock levels and prices in, in the caller's transaction: all of it, or nothing.
 * @throws OmsError OMS_STOCK_INVALID naming the first line that is not acceptable, with field, value and rule
 */
async function takeInCsv(tx: Database, csv: string, now: number): Promise<TakenInLevels> {
  const levels = acceptable(parseLevels(csv, now));
  const { applied, short } = await takeInLevels(tx, levels.map(sentLevel));
  const prices = await takeInPrices(
    tx,
    levels.flatMap((level) => sentPrice(level) ?? []),
  );
  return { levels: levels.length, applied: applied.size, prices, short };
}

function acceptable({ levels, faults }: ParsedLevels): StockLevel[] {
  const [first, ...others] = faults;
  if (first) throw atLine(first, others.length);
  if (levels.length > 0) return levels;
  const rule = 'must have a header line and one level or more';
  throw faultError('OMS_STOCK_INVALID', { field: '(body)', value: '', rule });
}

function atLine({ line, error }: ParsedLevels['faults'][number], others: number): OmsError {
  const more = others === 0 ? '' : `; ${others} other lines are not acceptable either`;
  const { fault } = error;
  const options = fault ? { fault: { ...fault, line } } : {};
  return new OmsError('OMS_STOCK_INVALID', `line ${line}: ${error.message}${more}`, options);
}
