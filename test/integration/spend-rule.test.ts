import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { sum } from '../../domain/money.ts';
import { numberInvoices } from '../../orders/money/series.ts';
import {
  clearSpending,
  decideSpending,
  giveBack,
  readSpending,
  setCustomerLimit,
  setDefaultLimit,
} from '../../orders/money/spend.ts';
import { createTestDatabase } from '../helpers/database.ts';

const RUNS = process.env['OMS_TEST_LONG'] === '1' ? 1_000 : 60;

let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, drop } = await createTestDatabase(2));
});
afterAll(() => drop());

/** Few of each, so that they meet again, an id also with another customer or amount than at first. */
const id = fc.constantFrom(...'abcdefghij');
const currency = fc.constantFrom('GBP', 'JPY');
const owner = fc.record({ customerId: fc.constantFrom('anna', 'berta', 'carla'), currency });
/** In steps, so that sums often come exactly to a limit. */
const tens = (max: number) => fc.integer({ min: 0, max }).map((n) => n * 10);
const amount = tens(4);
const limit = fc.option(tens(8));
const asked = fc.uniqueArray(fc.record({ id, amount }), { selector: (one) => one.id, minLength: 1, maxLength: 3 });

/** `decideBefore`: by a role of version 0.2.0 that still runs. */
const deed = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant('decide' as const), id, amount, owner) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('decideBefore' as const), id, amount, owner) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('invoice' as const), asked, owner) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('giveBack' as const), id, amount) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('limit' as const), owner, limit) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('default' as const), currency, limit) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), currency) },
);
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

interface Owner {
  customerId: string;
  currency: string;
}
type Decision = Owner & { amount: number; approved: boolean; counts: boolean; givenBack: number };

/** The rule as it would be written down if one customer came at a time. */
function createModel() {
  const limits = new Map<string, number | null>();
  const decisions = new Map<string, Decision>();
  const of = (one: Owner): string => `${one.customerId} ${one.currency}`;
  const counted = (whose: Owner) => [...decisions.values()].filter((d) => d.counts && of(d) === of(whose));
  const spent = (whose: Owner): number => sum(counted(whose).map((d) => d.amount - d.givenBack));
  const setLimit = (whose: string, limit: number | null) => void limits.set(whose, limit);
  const decide = (id: string, amount: number, whose: Owner): boolean => {
    const most = limits.get(of(whose)) ?? limits.get(whose.currency) ?? Infinity;
    const approved = spent(whose) + amount <= most;
    if (!decisions.has(id)) decisions.set(id, { ...whose, amount, approved, counts: approved, givenBack: 0 });
    return decisions.get(id)?.approved ?? false;
  };
  const giveBack = (id: string, amount: number): boolean => {
    const d = decisions.get(id);
    if (!d?.approved) return true;
    const fits = d.givenBack + amount <= d.amount;
    if (fits) d.givenBack += amount;
    return fits;
  };
  const clear = (currency: string): void => {
    for (const d of decisions.values()) if (d.currency === currency) d.counts = false;
  };
  return { of, spent, setLimit, decide, giveBack, clear };
}

/** Does the same to the database and the model; what each of them answers. */
async function both(model: ReturnType<typeof createModel>, deed: Deed): Promise<[unknown, unknown]> {
  switch (deed[0]) {
    case 'decide': {
      const [, id, amount, whose] = deed;
      return [await decideSpending(db, { id, amount, ...whose }), model.decide(id, amount, whose)];
    }
    case 'decideBefore': {
      const [, id, amount, whose] = deed;
      return [await decideBefore(id, amount, whose), model.decide(id, amount, whose)];
    }
    case 'invoice': {
      const [, invoices, whose] = deed;
      const next = await nextNumber();
      const numbered = await numberInvoices(db, { orderId: 'o', ...whose }, invoices);
      const expected = invoices.map(({ id, amount }, i) => ({
        number: next + i,
        approved: model.decide(id, amount, whose),
      }));
      return [numbered, expected];
    }
    case 'giveBack': {
      const [, id, total] = deed;
      const given = giveBack(db, [{ id, total }]).then(
        () => true,
        () => false,
      );
      return [await given, model.giveBack(id, total)];
    }
    case 'limit': {
      const [, whose, limit] = deed;
      return [await setCustomerLimit(db, { ...whose, limit }), model.setLimit(model.of(whose), limit)];
    }
    case 'default':
      return [await setDefaultLimit(db, deed[1], deed[2]), model.setLimit(deed[1], deed[2])];
    case 'clear':
      return [await clearSpending(db, deed[1]), model.clear(deed[1])];
  }
}

async function decideBefore(id: string, amount: number, { customerId, currency }: Owner): Promise<boolean> {
  const { rows } = await sql<{ approved: boolean }>`
    select oms_decide(${id}, ${id}, ${customerId}, ${currency}, ${amount}) as approved`.execute(db);
  return rows[0]?.approved === true;
}

async function nextNumber(): Promise<number> {
  const row = await db.selectFrom('invoice_series').select('next').where('series', '=', 'INV').executeTakeFirst();
  return row?.next ?? 1;
}

describe('The spend limit’s SQL', () => {
  it('decides and counts as its rule does, whatever is asked, given back, limited and cleared in between', async () => {
    const deeds = fc.array(deed, { minLength: 10, maxLength: 50, size: 'max' });
    const property = fc.asyncProperty(deeds, async (done) => {
      await sql`truncate customer_spend, spend_decisions, settings`.execute(db);
      const model = createModel();
      for (const one of done) {
        const [answered, expected] = await both(model, one);
        expect(answered).toEqual(expected);
      }
      for (const { customerId, currency, spent } of await readSpending(db, null, 100))
        expect(spent).toBe(model.spent({ customerId, currency }));
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});
