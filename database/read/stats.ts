import { sql } from 'kysely';
import type { OrderStatus } from '../../domain/status.ts';
import { ledgerState, orderStatus } from '../database.ts';
import type { Database } from '../database.ts';

/** How fast orders get done. */
export interface Throughput {
  /** Orders that came to a good end, per second, over the last 30 s and 5 min. */
  completedPerSecond30s: number;
  completedPerSecond5m: number;
  /** From an order's claim to its end, in seconds, of those that completed in the last 5 min; null when none has. */
  p50Seconds: number | null;
  p95Seconds: number | null;
}

/** Of the newest of them: enough for a percentile, and cheap however fast orders get done. */
const MOST_TIMED = 1_000;

export async function readThroughput(db: Database): Promise<Throughput> {
  const { rows } = await sql<Throughput>`
    with done as materialized (
      select order_id, closed_at, received_at from orders
      where closed_at > now() - interval '5 minutes' and status in (${orderStatus('completed', 'partiallyCompleted')})
    ), timed as (
      select extract(epoch from d.closed_at - coalesce(l.claimed_at, d.received_at))::float8 as seconds
      from (select * from done order by closed_at desc limit ${MOST_TIMED}) as d
      left join ledger l on l.order_id = d.order_id
    )
    select
      (count(*) filter (where closed_at > now() - interval '30 seconds') / 30.0)::float8 as "completedPerSecond30s",
      (count(*) / 300.0)::float8 as "completedPerSecond5m",
      (select percentile_cont(0.5) within group (order by seconds) from timed) as "p50Seconds",
      (select percentile_cont(0.95) within group (order by seconds) from timed) as "p95Seconds"
    from done
  `.execute(db);
  return rows[0] ?? { completedPerSecond30s: 0, completedPerSecond5m: 0, p50Seconds: null, p95Seconds: null };
}

/** Orders that were taken in and no worker has taken yet. */
export async function countUntaken(db: Database): Promise<number> {
  const { rows } = await sql<{ orders: number }>`
    select count(*) as orders from ledger
    where run_id is null and state in (${ledgerState('claimed', 'started')}) and placed is not null
  `.execute(db);
  return rows[0]?.orders ?? 0;
}

/** Dead letters of the last 24 h by code. */
export async function countRecentDeadLetters(db: Database): Promise<{ code: string; count: number }[]> {
  const { rows } = await sql<{ code: string; count: number }>`
    select code, count(*) as count from dead_letters where created_at > now() - interval '24 hours'
    group by code order by count(*) desc, code
  `.execute(db);
  return rows;
}

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
