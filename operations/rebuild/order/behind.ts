import { sql } from 'kysely';
import type { Database } from '../../../database/database.ts';

/**
 * Every order that has not ended is to get a new run: the one it has remembers more than a backup knows, and would wait
 * for that for ever.
 */
export async function letGoOfOpen(tx: Database): Promise<void> {
  await sql`update ledger set state = 'claimed', run_id = null where state in ('claimed', 'started')`.execute(tx);
}

/** Parts before what they are parts of. */
const OF_ORDERS = ['credit_notes', 'invoices', 'payments', 'shipments'] as const;

/**
 * Takes the state of orders away that more was told of than it knows, so that it can be written anew. What they took off
 * their shelves is put back for the moment.
 */
export async function forgetState(tx: Database, orderIds: readonly string[]): Promise<void> {
  const ids = sql`${[...orderIds]}::text[]`;
  await moveDispatched(tx, orderIds, 1);
  for (const table of OF_ORDERS) await sql`delete from ${sql.table(table)} where order_id = any(${ids})`.execute(tx);
  await sql`
    delete from fulfillment_items i using fulfillments f where i.fulfillment_id = f.fulfillment_id and f.order_id = any(${ids})
  `.execute(tx);
  for (const table of ['fulfillments', 'order_items', 'orders'])
    await sql`delete from ${sql.table(table)} where order_id = any(${ids})`.execute(tx);
}

/** What these orders have taken off their shelves, and not brought back, is taken off what a backup has counted there. */
export async function takeDispatched(tx: Database, orderIds: readonly string[]): Promise<void> {
  await moveDispatched(tx, orderIds, -1);
}

/** Where no level is known there is nothing to take from. What is reserved is settled at the end. */
async function moveDispatched(tx: Database, orderIds: readonly string[], sign: 1 | -1): Promise<void> {
  await sql`
    with gone as (
      select f.warehouse, i.sku, sum(i.quantity) as pieces
      from fulfillments f join fulfillment_items i using (fulfillment_id)
      join shipments s on s.shipment_id = f.fulfillment_id
      where f.order_id = any(${[...orderIds]}::text[]) and f.holds_stock and f.warehouse is not null
        and s.dispatched_at is not null and s.status <> 'returned'
      group by f.warehouse, i.sku
    ), counted as (
      select k.warehouse, k.sku, greatest(k.on_hand - k.shortage + ${sql.lit(sign)} * g.pieces, 0)::bigint as pieces
      from stock k join gone g on g.sku = k.sku and g.warehouse = k.warehouse
    )
    update stock k set on_hand = greatest(c.pieces, k.reserved), shortage = greatest(k.reserved - c.pieces, 0),
      version = k.version + 1, updated_at = now()
    from counted c where c.sku = k.sku and c.warehouse = k.warehouse
  `.execute(tx);
}

/**
 * An order's events are sent in version order: of an order that has a later one on its topic, all earlier ones were sent,
 * though a compacted topic may have forgotten them. Sent once more they would come behind it.
 */
export async function markOvertaken(db: Database): Promise<void> {
  await sql`
    update outbox u set sent_at = clock_timestamp(), held_reason = null
    where u.sent_at is null and u.version is not null and exists (
      select from outbox s where s.order_id = u.order_id and s.version > u.version and s.sent_at is not null
    )
  `.execute(db);
}
