import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';

/** Statuses of shipments the carrier has, or had. */
const HANDED_OVER = ['dispatched', 'deliveryFailed', 'delivered', 'returned'];

/** How far a set of orders has come, as the database has it. */
export interface DemoCounts {
  /** In the ledger with a workflow. */
  started: number;
  /** Refused: on the dead letter topic, acknowledged. */
  refused: number;
  /** Orders that have come to their end. */
  closed: number;
  /** Waiting for their customer's decision. */
  waiting: number;
  shipped: number;
  delivered: number;
  invoices: number;
  /** Committed events that are not on their topic yet. */
  unsent: number;
  statuses: Record<string, number>;
  /** On the topics. */
  events: Record<string, number>;
  /** By error code. */
  deadLetters: Record<string, number>;
  /** Invoiced by currency, minor units. */
  invoiced: Record<string, number>;
}

interface Counted {
  what: string;
  name: string;
  n: number;
}

/** Counts everything about these orders in one question. */
export async function countOrders(db: Database, orderIds: readonly string[]): Promise<DemoCounts> {
  const ids = [...orderIds];
  const { rows } = await sql<Counted>`
    select 'ledger' as what, state as name, count(*) as n from ledger where order_id = any(${ids}) group by state
    union all select 'status', status, count(*) from orders where order_id = any(${ids}) group by status
    union all select 'shipment', status, count(*) from shipments where order_id = any(${ids}) group by status
    union all select 'invoiced', currency::text, coalesce(sum(total), 0)::bigint from invoices where order_id = any(${ids}) group by currency
    union all select 'invoices', 'all', count(*) from invoices where order_id = any(${ids})
    union all select case when sent_at is null then 'unsent' else 'event' end, topic, count(*)
      from outbox where order_id = any(${ids}) group by 1, 2
    union all select case when sent_at is null then 'unsent' else 'dead letter' end, code, count(*)
      from dead_letters where order_id = any(${ids}) group by 1, 2
    union all select 'refused', 'all', count(distinct d.order_id) from dead_letters d
      where d.order_id = any(${ids}) and d.sent_at is not null
        and not exists (select from ledger l where l.order_id = d.order_id)
  `.execute(db);
  return fromRows(rows);
}

function fromRows(rows: readonly Counted[]): DemoCounts {
  const of = (what: string): Record<string, number> =>
    Object.fromEntries(rows.filter((row) => row.what === what).map(({ name, n }) => [name, n]));
  const [ledger, statuses, shipments] = [of('ledger'), of('status'), of('shipment')];
  return {
    started: (ledger.started ?? 0) + (ledger.closed ?? 0),
    refused: of('refused').all ?? 0,
    closed: ledger.closed ?? 0,
    waiting: statuses.customerActionRequired ?? 0,
    shipped: HANDED_OVER.reduce((sum, status) => sum + (shipments[status] ?? 0), 0),
    delivered: shipments.delivered ?? 0,
    invoices: of('invoices').all ?? 0,
    unsent: Object.values(of('unsent')).reduce((sum, n) => sum + n, 0),
    statuses,
    events: of('event'),
    deadLetters: of('dead letter'),
    invoiced: of('invoiced'),
  };
}

/** The orders among these that are new: neither in the ledger nor refused before. */
export async function newAmong(db: Database, orderIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select wanted.id from unnest(${[...orderIds]}::text[]) as wanted(id)
    where not exists (select from ledger l where l.order_id = wanted.id)
      and not exists (select from dead_letters d where d.order_id = wanted.id)
  `.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** An order worth looking at: completed, with as many shipments as possible. */
export async function exampleOrder(db: Database, orderIds: readonly string[]): Promise<string | undefined> {
  const { rows } = await sql<{ order_id: string }>`
    select o.order_id from orders o join fulfillments f using (order_id)
    where o.order_id = any(${[...orderIds]}) and o.status = 'completed'
    group by o.order_id order by count(*) desc, o.order_id limit 1
  `.execute(db);
  return rows[0]?.order_id;
}

/** Whether every order has either come to its end or been refused, and all of their events are on the topics. */
export function isDone(counts: DemoCounts, orders: number): boolean {
  return counts.closed + counts.refused >= orders && counts.unsent === 0;
}
