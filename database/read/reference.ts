import { sql } from 'kysely';
import type { ShipmentStatus } from '../../domain/status.ts';
import { orderStatus, shipmentStatus } from '../database.ts';
import type { Database } from '../database.ts';

/** A shipment in a list. */
export interface ListedShipment {
  id: string;
  status: ShipmentStatus;
}

/** Shipments the carrier has booked, newest first; with `open` only those that have not come to an end. */
export async function listBooked(
  db: Database,
  { open, limit }: { open: boolean; limit: number },
): Promise<ListedShipment[]> {
  const where = open
    ? sql`status in (${shipmentStatus('booked', 'dispatched', 'deliveryFailed')})`
    : sql`booked_at is not null`;
  const { rows } = await sql<ListedShipment>`
    select shipment_id as id, status from shipments where ${where}
    order by booked_at desc, shipment_id desc limit ${limit}`.execute(db);
  return rows;
}

/** A shipment with its items. */
export interface FoundShipment extends ListedShipment {
  /** Of its last move; null while it is to be booked. */
  movedAt: Date | null;
  items: { sku: string; quantity: number }[];
}

export async function findShipment(db: Database, id: string): Promise<FoundShipment | undefined> {
  const { rows } = await sql<FoundShipment>`
    select s.shipment_id as id, s.status, coalesce(s.ended_at, s.dispatched_at, s.booked_at) as "movedAt",
      coalesce((select json_agg(json_build_object('sku', i.sku, 'quantity', i.quantity) order by i.line)
        from fulfillment_items i where i.fulfillment_id = s.shipment_id), '[]') as items
    from shipments s where s.shipment_id = ${id}`.execute(db);
  return rows[0];
}

/** How many orders were completed, wholly or in part, in the last `ms`. */
export async function completedWithin(db: Database, ms: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from orders where closed_at > now() - make_interval(secs => ${ms / 1_000})
      and status in (${orderStatus('completed', 'partiallyCompleted')})`.execute(db);
  return rows[0]?.count ?? 0;
}

/** An order as it was placed, and when; undefined when the ledger has only heard of it, or not even that. */
export async function findPlaced(
  db: Database,
  orderId: string,
): Promise<{ id: string; customerId: string; receivedAt: number } | undefined> {
  const row = await db
    .selectFrom('ledger')
    .select([sql<string>`placed ->> 'customerId'`.as('customerId'), 'claimed_at'])
    .where('order_id', '=', orderId)
    .where('placed', 'is not', null)
    .executeTakeFirst();
  return row?.claimed_at
    ? { id: orderId, customerId: row.customerId, receivedAt: row.claimed_at.getTime() }
    : undefined;
}
