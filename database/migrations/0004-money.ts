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
