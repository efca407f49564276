import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  `alter table shipments
    add column service text,
    add column quoted_price bigint,
    add column failed_attempts int not null default 0`,

  // Update ids are the carriers' own: two of them may use the same for two shipments.
  `alter table carrier_updates drop constraint carrier_updates_pkey`,
  `alter table carrier_updates add primary key (shipment_id, update_id)`,
  `drop index carrier_updates_shipment`,

  // News of shipments that are not there yet, though their order is known. Without a record if it came by push.
  `create table parked_carrier_news (
    shipment_id text collate "C" not null,
    update_id text collate "C" not null,
    news jsonb not null,
    record_topic text,
    record_partition int,
    record_offset bigint,
    record_time timestamptz,
    record_key bytea,
    record_value bytea,
    record_headers jsonb,
    parked_at timestamptz not null default clock_timestamp(),
    tried_at timestamptz not null default clock_timestamp(),
    deadline timestamptz not null,
    primary key (shipment_id, update_id)
  )`,
  `create index parked_carrier_news_tried on parked_carrier_news (tried_at)`,

  `alter table simulated_bookings
    add column service text,
    add column price bigint`,
];

/** Deliveries that fail and come back, quotes, and carrier news by topic. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
