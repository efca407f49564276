import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { retrying, rowsOf } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { SPEND_RULE } from '../../database/migrate.ts';
import type { RuleFunctions } from '../../database/migrate.ts';

/** What a customer has spent in a currency, and may. Minor units. */
export interface Spending {
  customerId: string;
  currency: string;
  spent: number;
  /** The customer's own limit; null = the currency's default holds. */
  limit: number | null;
}

/** The most the customers of a currency may spend, where they have no limit of their own. */
export interface DefaultLimit {
  currency: string;
  limit: number;
}

export const MAINTENANCE = 'payment.maintenance';
const LIMIT = 'spend.limit.';

/** Whether payments are held: none is begun, and orders wait for it to end. */
export async function isMaintenance(db: Database): Promise<boolean> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', MAINTENANCE).executeTakeFirst();
  return row?.value === true;
}

/** Holds payments, or lets them go on. */
export async function setMaintenance(db: Database, on: boolean): Promise<void> {
  await writeSetting(db, MAINTENANCE, on);
}

async function writeSetting(db: Database, name: string, value: unknown): Promise<void> {
  const set = { value: JSON.stringify(value), updated_at: sql<Date>`now()` };
  await db
    .insertInto('settings')
    .values({ name, value: set.value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(set))
    .execute();
}

export async function readDefaultLimits(db: Database): Promise<DefaultLimit[]> {
  const rows = await db.selectFrom('settings').selectAll().where('name', 'like', `${LIMIT}%`).orderBy('name').execute();
  return rows.map(({ name, value }) => ({ currency: name.slice(LIMIT.length), limit: Number(value) }));
}

/** Sets the default limit of a currency; null takes it away. Decisions that were made stay. */
export async function setDefaultLimit(db: Database, currency: string, limit: number | null): Promise<void> {
  if (limit !== null) return writeSetting(db, LIMIT + currency, limit);
  await db
    .deleteFrom('settings')
    .where('name', '=', LIMIT + currency)
    .execute();
}

/** Sets a customer's own limit in a currency; null = the default holds again. What was spent before counts. */
export async function setCustomerLimit(
  db: Database,
  { customerId, currency, limit }: { customerId: string; currency: string; limit: number | null },
): Promise<void> {
  await db
    .insertInto('customer_spend')
    .values({ customer_id: customerId, currency, spend_limit: limit })
    .onConflict((conflict) =>
      conflict.columns(['customer_id', 'currency']).doUpdateSet({ spend_limit: limit, updated_at: sql<Date>`now()` }),
    )
    .execute();
}

/** What customers have spent: of one, or of all, those who spent most first. */
export async function readSpending(db: Database, customerId: string | null, limit: number): Promise<Spending[]> {
  const { rows } = await sql<Spending>`
    select customer_id as "customerId", currency, spent, spend_limit as "limit" from customer_spend
    where ${customerId}::text is null or customer_id = ${customerId}
    order by spent desc, customer_id, currency limit ${limit}
  `.execute(db);
  return rows;
}

/**
 * Begins the tallies of a currency anew: everybody has spent nothing in it. Decisions that were made stay, and what is
 * credited of them later no longer counts. Limits stay.
 */
export async function clearSpending(db: Database, currency: string): Promise<void> {
  const zero = { spent: 0, tally: sql<number>`tally + 1`, updated_at: sql<Date>`now()` };
  await db.updateTable('customer_spend').set(zero).where('currency', '=', currency).execute();
}

/**
 * The rule of the spend limit. A customer may spend in a currency up to their own limit; without one up to the currency's
 * default; without either as much as they like. An amount is approved if it and what they have spent come to the limit
 * at most, and from then on it is spent. What is declined spends nothing. A decision is made once under its id: whoever asks
 * again gets the first, whatever limits have become since. It keeps the tally it counts in, so that what is credited
 * later lowers that one (`giveBack`), and none that was begun anew since (`clearSpending`).
 *
 * It is one function in the database because comparing and counting must be one update, under the lock of the customer's
 * row. `oms setup` installs it under `SPEND_RULE`. Roles of two releases may run side by side, each with its own version on
 * the same tables: so never change the SQL of a released version, but give it the next name.
 */
const SPEND_RULE_SQL = sql`
  create function ${sql.ref(SPEND_RULE)}(
    given_id text, given_order text, given_customer text, given_currency text, given_amount bigint
  ) returns boolean language plpgsql as $$
  declare
    standard bigint;
    counted_in integer;
    decided boolean;
  begin
    select d.approved into decided from spend_decisions d where d.fulfillment_id = given_id;
    if found then
      return decided;
    end if;
    select (s.value #>> '{}')::bigint into standard from settings s where s.name = '${sql.raw(LIMIT)}' || given_currency;
    insert into customer_spend (customer_id, currency) values (given_customer, given_currency) on conflict do nothing;
    update customer_spend s set spent = s.spent + given_amount, updated_at = now()
      where s.customer_id = given_customer and s.currency = given_currency
        and (coalesce(s.spend_limit, standard) is null
          or s.spent + given_amount <= coalesce(s.spend_limit, standard))
      returning s.tally into counted_in;
    decided := found;
    insert into spend_decisions (fulfillment_id, order_id, customer_id, currency, amount, approved, tally)
      values (given_id, given_order, given_customer, given_currency, given_amount, decided, coalesce(counted_in, 0))
      on conflict do nothing;
    if not found then
      raise exception 'decided by somebody else meanwhile' using errcode = '40001';
    end if;
    return decided;
  end
  $$`;

/** The functions this release installs, by their names. */
export const FUNCTIONS: RuleFunctions = { [SPEND_RULE]: SPEND_RULE_SQL };

/**
 * Decides once, under an id, whether a customer may spend an amount (minor units), and counts it if so: the same id
 * again gets the first decision.
 */
export async function decideSpending(
  db: Database,
  { id, customerId, currency, amount }: { id: string; customerId: string; currency: string; amount: number },
): Promise<boolean> {
  const decision = sql<{ approved: boolean }>`
    select ${approval({ id: sql`${id}`, orderId: id, customerId, currency, amount: sql`${amount}` })} as approved`;
  const { rows } = await retrying(() => decision.execute(db));
  return rows[0]?.approved === true;
}

/** The decision, made by the rule as part of a statement: `id` and `amount` are an SQL expression of type text and bigint. */
export function approval(asked: {
  id: RawBuilder<unknown>;
  orderId: string;
  customerId: string;
  currency: string;
  amount: RawBuilder<unknown>;
}): RawBuilder<boolean> {
  const { id, orderId, customerId, currency, amount } = asked;
  return sql`${sql.ref(SPEND_RULE)}(${id}, ${orderId}, ${customerId}, ${currency}, ${amount})`;
}

/** Decided on what was read before somebody else's step: to be decided anew. */
const CHANGED_SINCE = '40001';

/**
 * Gives spending back as it is credited, in the transaction that draws the credit notes. Declined decisions spent
 * nothing, and tallies that were begun anew since do not change. What somebody else has given back in the meantime
 * fails the transaction, to be tried again.
 */
export async function giveBack(tx: Database, credited: readonly { id: string; total: number }[]): Promise<void> {
  const r = rowsOf(credited, 'id text, total bigint');
  await sql`
    with back as (
      update spend_decisions d set given_back = d.given_back + r.total
      from ${r} where d.fulfillment_id = r.id and d.approved and d.given_back + r.total <= d.amount
      returning d.customer_id, d.currency, d.tally, r.total
    ), lower as (
      update customer_spend s set spent = s.spent - b.total, updated_at = now()
      from (
        select customer_id, currency, tally, sum(total)::bigint as total from back group by customer_id, currency, tally
      ) as b
      where s.customer_id = b.customer_id and s.currency = b.currency and s.tally = b.tally
    )
    select oms_expect((select count(*) from back),
      (select count(*) from spend_decisions d join ${r} on d.fulfillment_id = r.id where d.approved),
      ${CHANGED_SINCE}, 'spending given back')
  `.execute(tx);
}
