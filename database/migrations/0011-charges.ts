import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // Tallies can be begun anew. A decision keeps the number of the tally it counts in, so that what is credited later
  // lowers that one, and never one it was not part of.
  `alter table customer_spend add column tally integer not null default 0`,
  `alter table spend_decisions add column tally integer not null default 0`,

  // One decision under an id, made once: with its condition in the update, under the lock of the customer's row.
  `create function oms_decide(
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
    select (s.value #>> '{}')::bigint into standard from settings s where s.name = 'spend.limit.' || given_currency;
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
  $$`,
  `create or replace function oms_draw(
    given_series text, given_order text, given_customer text, given_currency text, fulfillments json
  ) returns table (id text, number bigint, approved boolean) language plpgsql as $$
  declare
    one record;
  begin
    if exists (select from settings s where s.name = 'payment.maintenance' and s.value = 'true') then
      raise exception 'payments are held by maintenance mode' using errcode = 'OM503';
    end if;
    insert into invoice_series as s (series, next) values (given_series, 1 + json_array_length(fulfillments))
      on conflict (series) do update set next = s.next + json_array_length(fulfillments)
      returning s.next - json_array_length(fulfillments) into number;
    for one in select r.* from json_to_recordset(fulfillments) as r(id text, amount bigint) loop
      id := one.id;
      approved := oms_decide(one.id, given_order, given_customer, given_currency, one.amount);
      return next;
      number := number + 1;
    end loop;
  end
  $$`,

  // Charges outside of any order. Their invoices, payments and decisions are rows like those of fulfillments, under the
  // charge's id; here stands what was asked for.
  `create table charges (
    charge_id text collate "C" primary key,
    reference text not null,
    requested_at timestamptz not null default now()
  )`,
  `create index payments_unsettled on payments (requested_at) where status = 'pending'`,
];

/** Charges outside of orders, and tallies that can be begun anew. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
