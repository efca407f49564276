import { sql } from 'kysely';
import type { OrderStatus } from '../../domain/status.ts';
import type { Database } from '../database.ts';

/** Orders by status; closed ones as far as they closed in the last 24 h, so that the count stays cheap. */
export async function countByStatus(db: Database): Promise<{ status: OrderStatus; orders: number }[]> {
  const { rows } = await sql<{ status: OrderStatus; orders: number }>`
    select status, count(*) as orders from orders
    where closed_at is null or closed_at > now() - interval '24 hours' group by status
  `.execute(db);
  return rows;
}

/** How long each order took that closed in (from, to]: from its claim to its close. */
export async function openedAndClosedSince(
  db: Database,
  from: Date,
  to: Date,
): Promise<{ status: OrderStatus; seconds: number }[]> {
  const { rows } = await sql<{ status: OrderStatus; seconds: number }>`
    select o.status, extract(epoch from o.closed_at - coalesce(l.claimed_at, o.received_at))::float8 as seconds
    from orders o join ledger l on l.order_id = o.order_id
    where o.closed_at > ${from} and o.closed_at <= ${to}
  `.execute(db);
  return rows;
}
