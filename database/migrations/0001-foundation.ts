import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** Ids compare bytewise, so that sorting them gives every transaction the same lock order. */
const STATEMENTS = [
  // Which deployment this database belongs to: one random id, also kept by the Temporal namespace and a topic.
  `create table deployment (
    singleton boolean primary key default true check (singleton),
    id uuid not null,
    created_at timestamptz not null default now()
  )`,

  // The ledger: one row per order id, for ever. Only started and closed count as known.
  `create table ledger (
    order_id text collate "C" primary key,
    state text not null check (state in ('awaited', 'claimed', 'started', 'closed')),
    source text,
    fingerprint bytea,
    fingerprint_version smallint,
    placed_event_id text,
    run_id text,
    placed jsonb,
    record_value bytea,
    record_topic text,
    record_partition int,
    record_offset bigint,
    record_time timestamptz,
    awaited_at timestamptz,
    claimed_at timestamptz,
    started_at timestamptz,
    closed_at timestamptz
  )`,
  // Few of all rows, whatever the ledger grows to: open orders are counted, and stale claims found, here.
  `create index ledger_open on ledger (state, claimed_at) where state <> 'closed'`,
  // Incoming events that are done with, by id: written only when their effect is durable.
  `create table ledger_events (
    order_id text collate "C" not null,
    event_id text collate "C" not null,
    type text not null,
    outcome text not null check (outcome in ('started', 'signalled', 'handled', 'late', 'refused')),
    payload_hash bytea,
    at timestamptz not null default now(),
    primary key (order_id, event_id)
  )`,
  // Lifecycle events that wait for their order.
  `create table parked_events (
    order_id text collate "C" not null,
    event_id text collate "C" not null,
    message jsonb not null,
    payload_hash bytea,
    source text,
    record_topic text not null,
    record_partition int not null,
    record_offset bigint not null,
    record_time timestamptz not null,
    record_key bytea,
    record_value bytea,
    record_headers jsonb not null default '{}',
    sequence bigint,
    parked_at timestamptz not null default now(),
    deadline timestamptz not null,
    primary key (order_id, event_id)
  )`,
  `create index parked_events_deadline on parked_events (deadline)`,
  // Dead letters from intent to acknowledgement and beyond; the id follows from the record, so a repeat is the same row.
  `create table dead_letters (
    id text collate "C" primary key,
    code text not null,
    message text not null,
    fault jsonb,
    order_id text,
    source text,
    record_topic text not null,
    record_partition int not null,
    record_offset bigint not null,
    record_time timestamptz not null,
    record_key bytea,
    record_value bytea,
    record_headers jsonb not null default '{}',
    created_at timestamptz not null default now(),
    sent_at timestamptz
  )`,
  `create index dead_letters_created on dead_letters (created_at)`,
  `create index dead_letters_unsent on dead_letters (created_at) where sent_at is null`,
  `create index dead_letters_order on dead_letters (order_id)`,

  // The state of an order and its parts: also what the API, the CLI and the UI show.
  `create table orders (
    order_id text collate "C" primary key,
    run_id text not null,
    source text not null,
    customer_id text not null,
    currency char(3) not null,
    ship_to jsonb,
    status text not null,
    reason text,
    placed_at timestamptz not null,
    received_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    closed_at timestamptz,
    round int not null default 1,
    version bigint not null default 0,
    sequences jsonb not null default '{}'
  )`,
  `create index orders_received on orders (received_at desc, order_id)`,
  `create index orders_open on orders (status) where closed_at is null`,
  `create table order_items (
    order_id text collate "C" not null references orders,
    line int not null,
    sku text not null,
    quantity int not null check (quantity > 0),
    unit_price bigint check (unit_price >= 0),
    description text,
    primary key (order_id, line)
  )`,
  `create table fulfillments (
    fulfillment_id text collate "C" primary key,
    order_id text collate "C" not null references orders,
    n int not null,
    round int not null,
    warehouse text,
    status text not null,
    reason text,
    updated_at timestamptz not null default now(),
    unique (order_id, n)
  )`,
  `create table fulfillment_items (
    fulfillment_id text collate "C" not null references fulfillments,
    line int not null,
    sku text not null,
    quantity int not null check (quantity > 0),
    unit_price bigint,
    primary key (fulfillment_id, line)
  )`,

  // Stock moves are compare-and-set on one row and never go negative.
  `create table stock (
    warehouse text collate "C" not null,
    sku text collate "C" not null,
    on_hand bigint not null check (on_hand >= 0),
    reserved bigint not null default 0 check (reserved >= 0),
    version bigint not null default 0,
    updated_at timestamptz not null default now(),
    primary key (sku, warehouse),
    check (reserved <= on_hand)
  )`,
  `create table prices (
    sku text collate "C" not null,
    currency char(3) not null,
    unit_price bigint not null check (unit_price >= 0),
    updated_at timestamptz not null default now(),
    primary key (sku, currency)
  )`,
  // One row per mutating step, under the key of what it is for: a repeat returns the first result.
  // A tombstone is a row written by the undoing before the step arrived.
  `create table steps (
    key text collate "C" primary key,
    order_id text collate "C" not null,
    result jsonb,
    tombstone boolean not null default false,
    at timestamptz not null default now()
  )`,
  `create index steps_order on steps (order_id)`,

  `create table invoice_series (
    series text primary key,
    next bigint not null default 1
  )`,
  `create table invoices (
    invoice_id text primary key,
    series text not null,
    number bigint not null,
    fulfillment_id text collate "C" not null unique,
    order_id text collate "C" not null,
    customer_id text not null,
    currency char(3) not null,
    sub_total bigint not null,
    tax bigint not null,
    shipping bigint not null,
    total bigint not null,
    lines jsonb not null,
    pricing jsonb not null,
    issued_at timestamptz not null default now(),
    unique (series, number),
    check (total = sub_total + tax + shipping)
  )`,
  `create index invoices_order on invoices (order_id)`,
  // The intent row goes before the provider call.
  `create table payments (
    fulfillment_id text collate "C" primary key,
    order_id text collate "C" not null,
    status text not null,
    currency char(3) not null,
    amount bigint not null,
    reference text,
    auth_code text,
    decline_reason text,
    refunded bigint not null default 0,
    requested_at timestamptz not null default now(),
    settled_at timestamptz
  )`,
  `create index payments_order on payments (order_id)`,
  `create table shipments (
    shipment_id text collate "C" primary key,
    order_id text collate "C" not null,
    status text not null,
    carrier text,
    booking_reference text,
    tracking_number text,
    requested_at timestamptz not null default now(),
    booked_at timestamptz,
    dispatched_at timestamptz,
    ended_at timestamptz,
    updated_at timestamptz not null default now()
  )`,
  `create index shipments_order on shipments (order_id)`,
  `create index shipments_booked on shipments (booked_at desc, shipment_id)`,
  `create table carrier_updates (
    update_id text collate "C" primary key,
    shipment_id text collate "C" not null,
    status text not null,
    applied boolean not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    detail text
  )`,
  `create index carrier_updates_shipment on carrier_updates (shipment_id)`,

  // Committed events on their way to the topics; kept for audit and re-emission.
  `create table outbox (
    id bigint generated always as identity primary key,
    event_id text collate "C" not null unique,
    order_id text collate "C" not null,
    version bigint not null,
    topic text not null,
    sequence bigint not null,
    type text not null,
    cause text not null,
    key text not null,
    value bytea not null,
    headers jsonb not null,
    shard smallint not null,
    created_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    held_reason text
  )`,
  `create index outbox_unsent on outbox (shard, id) where sent_at is null`,
  `create unique index outbox_version on outbox (order_id, version)`,

  // Memory of the simulated providers: they are somebody else's systems, so nothing of ours refers to these tables.
  `create table simulated_charges (
    key text collate "C" primary key,
    customer_id text not null,
    currency char(3) not null,
    amount bigint not null,
    status text not null,
    reference text not null,
    auth_code text,
    decline_reason text,
    refunded bigint not null default 0,
    at timestamptz not null default now()
  )`,
  `create table simulated_bookings (
    key text collate "C" primary key,
    status text not null,
    reference text not null,
    tracking_number text not null,
    status_at timestamptz not null default now(),
    next_status text,
    next_at timestamptz,
    booked_at timestamptz not null default now()
  )`,
  `create index simulated_bookings_next on simulated_bookings (next_at) where next_at is not null`,
  `create table simulated_calls (
    id bigint generated always as identity primary key,
    provider text not null,
    operation text not null,
    key text not null,
    outcome text not null,
    at timestamptz not null default clock_timestamp()
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
