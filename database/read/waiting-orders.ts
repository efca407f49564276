import { sql } from 'kysely';
import type { OrderStatus, ShipmentStatus } from '../../domain/status.ts';
import { ledgerState } from '../database.ts';
import type { Database } from '../database.ts';
import type { LedgerState } from '../tables/ledger.ts';

/** An order that has not moved for a while, as the database has it. */
export interface WaitingOrder {
  orderId: string;
  source: string | null;
  ledgerState: LedgerState;
  runId: string | null;
  /** Null until a worker has taken it. */
  status: OrderStatus | null;
  /** When it last moved. */
  since: Date;
  /** Of the shipments that have not ended. */
  shipments: ShipmentStatus[];
  /** Its oldest event that is not on its topic yet. */
  unsent: { eventId: string; heldReason: string | null; since: Date } | null;
  /** Lifecycle events that wait for it, and until when the first of them does. */
  parked: { events: number; deadline: Date } | null;
}

export interface WaitingQuery {
  olderThanMs: number;
  /** Only this order, however long it waits. */
  orderId?: string;
  /** The longest waiting first. */
  limit: number;
}

interface Row {
  order_id: string;
  source: string | null;
  state: LedgerState;
  run_id: string | null;
  status: OrderStatus | null;
  since: Date;
  shipments: ShipmentStatus[];
  unsent_id: string | null;
  held_reason: string | null;
  unsent_since: Date | null;
  parked_events: number;
  parked_deadline: Date | null;
}

/** Orders that are not closed and did not move for so long, and closed ones whose events are not on their topics yet. */
export async function waitingOrders(db: Database, query: WaitingQuery): Promise<WaitingOrder[]> {
  const { orderId = null, limit } = query;
  const before = sql`clock_timestamp() - make_interval(secs => ${query.olderThanMs / 1_000})`;
  const { rows } = await sql<Row>`
    with candidates as (
      select l.order_id, coalesce(o.updated_at, l.started_at, l.claimed_at, l.awaited_at) as since
      from ledger l left join orders o using (order_id) where l.state <> ${ledgerState('closed')}
      union all
      select order_id, created_at from outbox where sent_at is null
      union all
      select order_id, updated_at from orders where order_id = ${orderId}
    ), oldest as (
      select order_id, min(since) as since from candidates
      where ${orderId}::text is null and since < ${before} or order_id = ${orderId}
      group by order_id order by since, order_id limit ${limit}
    )
    select w.order_id, w.since, l.source, l.state, l.run_id, o.status, u.*, p.*,
      array(select s.status from shipments s where s.order_id = w.order_id and s.ended_at is null) as shipments
    from oldest w join ledger l using (order_id) left join orders o using (order_id)
      left join lateral (
        select event_id as unsent_id, held_reason, created_at as unsent_since from outbox
        where order_id = w.order_id and sent_at is null order by version limit 1
      ) u on true
      left join lateral (
        select count(*) as parked_events, min(deadline) as parked_deadline from parked_events where order_id = w.order_id
      ) p on true
    order by w.since, w.order_id`.execute(db);
  return rows.map(waitingOrder);
}

function waitingOrder(row: Row): WaitingOrder {
  const { unsent_id: eventId, held_reason: heldReason, unsent_since: unsentSince, parked_deadline: deadline } = row;
  return {
    orderId: row.order_id,
    source: row.source,
    ledgerState: row.state,
    runId: row.run_id,
    status: row.status,
    since: row.since,
    shipments: row.shipments,
    unsent: eventId && unsentSince ? { eventId, heldReason, since: unsentSince } : null,
    parked: deadline ? { events: row.parked_events, deadline } : null,
  };
}
