import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // Records for our input topics go through the outbox, too: what is asked for over HTTP is committed with its record.
  // They are numbered by nobody: version and sequence count what the OMS itself tells of an order.
  `alter table outbox alter column version drop not null, alter column sequence drop not null`,
  // A reader that follows the outbox needs an order in which nothing appears behind it: by transaction, and only what
  // is older than every transaction under way.
  `alter table outbox add column tx xid8 not null default pg_current_xact_id()`,
  `create index outbox_feed on outbox (tx, id) where version is not null`,

  // One answer per Idempotency-Key, kept while a client may ask again.
  `create table http_requests (
    key text collate "C" primary key,
    request_hash bytea not null,
    status smallint not null,
    headers jsonb not null default '{}',
    body jsonb,
    at timestamptz not null default now()
  )`,
  `create index http_requests_at on http_requests (at)`,

  // The read side: each list in its order, newest first, with a cursor that names a row. Beside its key an index carries
  // what a list may also be narrowed by, so that the rows which do not match are never fetched.
  `drop index orders_received`,
  `create index orders_by_time on orders (received_at desc, order_id desc)`,
  `create index orders_by_status on orders (status, received_at desc, order_id desc) include (customer_id, source, overdue)`,
  `create index orders_by_customer on orders (customer_id, received_at desc, order_id desc) include (status, source, overdue)`,
  `create index orders_by_source on orders (source, received_at desc, order_id desc) include (status, overdue)`,
  `create index orders_closed on orders (closed_at) where closed_at is not null`,
  `create index orders_overdue on orders (received_at desc, order_id desc) where overdue is not null`,
  // An order that no worker has taken yet has no row but in the ledger, and is listed all the same.
  `create index ledger_untaken on ledger (claimed_at desc, order_id desc)
    where run_id is null and state in ('claimed', 'started')`,
  `create index ledger_untaken_customer on ledger ((placed ->> 'customerId'), claimed_at desc, order_id desc)
    where run_id is null and state in ('claimed', 'started')`,
  // Lines carry the order's time, so that the orders of a SKU are found in order however many there are.
  `alter table order_items add column received_at timestamptz`,
  `update order_items set received_at = o.received_at from orders o where o.order_id = order_items.order_id`,
  `alter table order_items alter column received_at set not null`,
  `create index order_items_sku on order_items (sku, received_at desc, order_id desc)`,
  `drop index shipments_booked`,
  `create index shipments_booked on shipments (booked_at desc, shipment_id desc) where booked_at is not null`,
  `create index shipments_pending on shipments (booked_at desc, shipment_id desc)
    where status in ('booked', 'dispatched', 'deliveryFailed')`,
  `create index shipments_tracking on shipments (tracking_number) where tracking_number is not null`,
  `create index invoices_by_time on invoices (issued_at desc, invoice_id desc)`,
  `create index invoices_by_customer on invoices (customer_id, issued_at desc, invoice_id desc)`,
];

/** HTTP: records for input topics, answers by Idempotency-Key, and the indexes of the read side. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
