import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // A charge takes what it is for; money that is held first is taken when the goods are handed over, perhaps less of it.
  `alter table payments add mode text not null default 'charge', add captured bigint not null default 0`,
  `update payments set captured = amount where status = 'success'`,

  // Numbered like invoices, without a gap. A credit note is also the intent to give its money back.
  `create table credit_notes (
    credit_note_id text primary key,
    series text not null,
    number bigint not null,
    invoice_id text not null references invoices,
    fulfillment_id text collate "C" not null,
    order_id text collate "C" not null,
    customer_id text not null,
    currency char(3) not null,
    sub_total bigint not null,
    tax bigint not null,
    shipping bigint not null,
    total bigint not null,
    lines jsonb not null,
    reason text not null,
    refunded bigint not null default 0,
    issued_at timestamptz not null default now(),
    settled_at timestamptz,
    unique (series, number),
    check (total = sub_total + tax + shipping),
    check (refunded in (0, total))
  )`,
  `create index credit_notes_fulfillment on credit_notes (fulfillment_id)`,
  `create index credit_notes_open on credit_notes (issued_at) where settled_at is null`,

  // Spending against limits: the decision is made once a fulfillment, and given back as it is credited.
  `create table settings (
    name text primary key,
    value jsonb not null,
    updated_at timestamptz not null default now()
  )`,
  `create table customer_spend (
    customer_id text collate "C" not null,
    currency char(3) not null,
    spent bigint not null default 0 check (spent >= 0),
    spend_limit bigint check (spend_limit >= 0),
    updated_at timestamptz not null default now(),
    primary key (customer_id, currency)
  )`,
  `create table spend_decisions (
    fulfillment_id text collate "C" primary key,
    order_id text collate "C" not null,
    customer_id text collate "C" not null,
    currency char(3) not null,
    amount bigint not null check (amount >= 0),
    approved boolean not null,
    given_back bigint not null default 0,
    decided_at timestamptz not null default now(),
    check (given_back between 0 and amount)
  )`,
  `create index spend_decisions_customer on spend_decisions (customer_id, currency)`,
  // One round trip for what has to happen in this order: the series is locked, then the customer's row. A decision made
  // before is returned as it is. Fails with OM503 in maintenance mode, and nothing is decided or numbered.
  `create function oms_draw(
    given_series text, given_order text, given_customer text, given_currency text, fulfillments json
  ) returns table (id text, number bigint, approved boolean) language plpgsql as $$
  declare
    standard bigint;
    one record;
  begin
    if exists (select from settings s where s.name = 'payment.maintenance' and s.value = 'true') then
      raise exception 'payments are held by maintenance mode' using errcode = 'OM503';
    end if;
    select (s.value #>> '{}')::bigint into standard from settings s where s.name = 'spend.limit.' || given_currency;
    insert into invoice_series as s (series, next) values (given_series, 1 + json_array_length(fulfillments))
      on conflict (series) do update set next = s.next + json_array_length(fulfillments)
      returning s.next - json_array_length(fulfillments) into number;
    for one in select r.* from json_to_recordset(fulfillments) as r(id text, amount bigint) loop
      id := one.id;
      select d.approved into approved from spend_decisions d where d.fulfillment_id = one.id;
      if not found then
        insert into customer_spend (customer_id, currency) values (given_customer, given_currency)
          on conflict do nothing;
        update customer_spend s set spent = s.spent + one.amount, updated_at = now()
          where s.customer_id = given_customer and s.currency = given_currency
            and (coalesce(s.spend_limit, standard) is null or s.spent + one.amount <= coalesce(s.spend_limit, standard));
        approved := found;
        insert into spend_decisions (fulfillment_id, order_id, customer_id, currency, amount, approved)
          values (one.id, given_order, given_customer, given_currency, one.amount, approved);
      end if;
      return next;
      number := number + 1;
    end loop;
  end
  $$`,

  // The simulated payment provider: money that is held, taken, let go and given back in parts.
  `alter table simulated_charges add captured bigint not null default 0`,
  `update simulated_charges set status = 'captured', captured = amount where status = 'approved'`,
  `alter table simulated_charges add check (refunded <= captured and captured <= amount)`,
  `create table simulated_refunds (
    refund_key text collate "C" primary key,
    key text collate "C" not null,
    amount bigint not null,
    reason text not null,
    at timestamptz not null default now()
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
