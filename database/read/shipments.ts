import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { ShipmentStatus } from '../../domain/status.ts';
import { PLANNED_ANEW, shipmentStatus } from '../database.ts';
import type { Database } from '../database.ts';
import { pageOf } from './cursor.ts';
import type { Cursor, Page } from './cursor.ts';

/** A shipment in a list. */
export interface ListedShipment {
  shipmentId: string;
  orderId: string;
  status: ShipmentStatus;
  warehouse: string | null;
  carrier: string | null;
  service: string | null;
  bookingReference: string | null;
  trackingNumber: string | null;
  failedAttempts: number;
  bookedAt: Date | null;
  dispatchedAt: Date | null;
  endedAt: Date | null;
}

/** One shipment, with its goods and what its carrier has said. */
export interface ShipmentView extends ListedShipment {
  items: { line: number; sku: string; quantity: number }[];
  /** In the order it came. */
  news: ShipmentNews[];
}

export interface ShipmentNews {
  updateId: string;
  status: string;
  /** Whether anything came of it. */
  applied: boolean;
  detail: string | null;
  /** By the carrier's clock. */
  occurredAt: Date;
  receivedAt: Date;
}

export interface ShipmentFilter {
  status?: readonly ShipmentStatus[];
  carrier?: string;
  orderId?: string;
  /** Only those a carrier has, or is to fetch: something is still expected of it. */
  pending?: boolean;
}

/** As the index of them says it. */
const IS_PENDING = sql`s.status in (${shipmentStatus('booked', 'dispatched', 'deliveryFailed')})`;

const COLUMNS = sql`s.shipment_id as "shipmentId", s.order_id as "orderId", s.status, f.warehouse, s.carrier, s.service,
  s.booking_reference as "bookingReference", s.tracking_number as "trackingNumber",
  s.failed_attempts as "failedAttempts", s.booked_at as "bookedAt", s.dispatched_at as "dispatchedAt",
  s.ended_at as "endedAt"`;

/** Shipments that were booked, the newest booking first. */
export async function listShipments(
  db: Database,
  filter: ShipmentFilter,
  { after, limit }: { after?: Cursor | undefined; limit: number },
): Promise<Page<ListedShipment>> {
  const where = sql.join([sql`s.booked_at is not null`, ...conditionsOf(filter, after)], sql` and `);
  const { rows } = await sql<ListedShipment & { bookedAt: Date }>`${PLANNED_ANEW}
    select ${COLUMNS} from shipments s left join fulfillments f on f.fulfillment_id = s.shipment_id
    where ${where} order by s.booked_at desc, s.shipment_id desc limit ${limit + 1}
  `.execute(db);
  return pageOf(rows, limit, ({ bookedAt, shipmentId }) => ({ at: bookedAt.getTime(), id: shipmentId }));
}

function conditionsOf({ status, carrier, orderId, pending }: ShipmentFilter, after: Cursor | undefined) {
  const conditions: RawBuilder<unknown>[] = [];
  // Of one status the index gives the rows in the list's order.
  if (status?.length === 1) conditions.push(sql`s.status = ${status[0]}`);
  else if (status !== undefined) conditions.push(sql`s.status = any(${[...status]}::text[])`);
  if (carrier !== undefined) conditions.push(sql`s.carrier = ${carrier}`);
  if (orderId !== undefined) conditions.push(sql`s.order_id = ${orderId}`);
  if (pending !== undefined) conditions.push(pending ? IS_PENDING : sql`not (${IS_PENDING})`);
  if (after) conditions.push(sql`(s.booked_at, s.shipment_id) < (${new Date(after.at)}, ${after.id} collate "C")`);
  return conditions;
}

/** One shipment, booked or not; undefined when there is none. */
export async function readShipment(db: Database, shipmentId: string): Promise<ShipmentView | undefined> {
  const { rows } = await sql<ListedShipment>`
    select ${COLUMNS} from shipments s left join fulfillments f on f.fulfillment_id = s.shipment_id
    where s.shipment_id = ${shipmentId}
  `.execute(db);
  const [shipment] = rows;
  if (!shipment) return undefined;
  const [items, news] = await Promise.all([readItems(db, shipmentId), readNews(db, shipmentId)]);
  return { ...shipment, items, news };
}

function readItems(db: Database, shipmentId: string): Promise<ShipmentView['items']> {
  const items = db.selectFrom('fulfillment_items').select(['line', 'sku', 'quantity']);
  return items.where('fulfillment_id', '=', shipmentId).orderBy('line').execute();
}

async function readNews(db: Database, shipmentId: string): Promise<ShipmentNews[]> {
  const { rows } = await sql<ShipmentNews>`
    select update_id as "updateId", status, applied, detail, occurred_at as "occurredAt", received_at as "receivedAt"
    from carrier_updates where shipment_id = ${shipmentId} order by received_at, update_id
  `.execute(db);
  return rows;
}
