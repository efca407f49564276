import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Overdue } from '../../domain/deadlines.ts';
import { isOrderId } from '../../domain/ids.ts';
import type { OrderStatus } from '../../domain/status.ts';
import type { Database } from '../database.ts';
import { pageOf } from './cursor.ts';
import type { Cursor, Page } from './cursor.ts';

/** An order in a list. */
export interface ListedOrder {
  orderId: string;
  status: OrderStatus;
  reason: string | null;
  source: string;
  customerId: string;
  currency: string;
  overdue: Overdue | null;
  /** Upstream's time of it. */
  placedAt: Date;
  /** When the OMS took it in: lists are ordered by it. */
  receivedAt: Date;
  closedAt: Date | null;
}

/** What a list is narrowed to; all of it holds for each order listed. */
export interface OrderFilter {
  status?: readonly OrderStatus[];
  customerId?: string;
  source?: string;
  sku?: string;
  /** Received at or after, ms since the epoch. */
  from?: number;
  /** Received before. */
  to?: number;
  overdue?: Overdue | 'any';
  /** What people have in hand: the beginning of an order id, a customer id, a tracking, invoice or credit note number. */
  text?: string;
}

/** Orders newest first, those included that no worker has taken yet. One statement, of one moment. */
export async function listOrders(
  db: Database,
  filter: OrderFilter,
  { after, limit }: { after?: Cursor | undefined; limit: number },
): Promise<Page<ListedOrder>> {
  const more = limit + 1;
  const { rows } = await sql<ListedOrder>`
    select * from (
      (${takenOrders(filter, after, more)}) union all (${untakenOrders(filter, after, more)})
    ) as listed order by "receivedAt" desc, "orderId" desc limit ${more}
  `.execute(db);
  return pageOf(rows, limit, ({ receivedAt, orderId }) => ({ at: receivedAt.getTime(), id: orderId }));
}

type Sql = RawBuilder<unknown>;

const COLUMNS = sql`o.order_id as "orderId", o.status, o.reason, o.source, o.customer_id as "customerId",
  o.currency::text as currency, o.overdue, o.placed_at as "placedAt", o.received_at as "receivedAt",
  o.closed_at as "closedAt"`;

/** Each way of looking has an index in the list's order: what is read is about what is shown. */
function takenOrders(filter: OrderFilter, after: Cursor | undefined, limit: number): Sql {
  const { sku, text } = filter;
  const conditions = [
    ...ownConditions(filter),
    ...(text === undefined ? [] : [sql`o.order_id in (${textMatches(text)})`]),
  ];
  if (sku !== undefined) return ordersOfSku(sku, conditions, filter, after, limit);
  const where = all([...conditions, ...timeConditions('o', filter, after)]);
  return sql`select ${COLUMNS} from orders o where ${where} order by o.received_at desc, o.order_id desc limit ${limit}`;
}

/** By the lines: an order that has the SKU twice stands there twice. */
function ordersOfSku(
  sku: string,
  conditions: Sql[],
  filter: OrderFilter,
  after: Cursor | undefined,
  limit: number,
): Sql {
  const where = all([sql`i.sku = ${sku}`, ...conditions, ...timeConditions('i', filter, after)]);
  return sql`
    select ${COLUMNS} from (
      select distinct on (i.received_at, i.order_id) i.order_id from order_items i
      join orders o on o.order_id = i.order_id where ${where}
      order by i.received_at desc, i.order_id desc limit ${limit}
    ) as found join orders o on o.order_id = found.order_id
    order by o.received_at desc, o.order_id desc limit ${limit}`;
}

function ownConditions({ status, customerId, source, overdue }: OrderFilter): Sql[] {
  return [
    ...(status === undefined ? [] : [sql`o.status = any(${[...status]}::text[])`]),
    ...(customerId === undefined ? [] : [sql`o.customer_id = ${customerId}`]),
    ...(source === undefined ? [] : [sql`o.source = ${source}`]),
    ...(overdue === undefined ? [] : [overdue === 'any' ? sql`o.overdue is not null` : sql`o.overdue = ${overdue}`]),
  ];
}

function timeConditions(table: 'o' | 'i', { from, to }: OrderFilter, after: Cursor | undefined): Sql[] {
  const [at, id] = [sql.ref(`${table}.received_at`), sql.ref(`${table}.order_id`)];
  return [
    ...(from === undefined ? [] : [sql`${at} >= ${new Date(from)}`]),
    ...(to === undefined ? [] : [sql`${at} < ${new Date(to)}`]),
    ...(after === undefined ? [] : [sql`(${at}, ${id}) < (${new Date(after.at)}, ${after.id} collate "C")`]),
  ];
}

const all = (conditions: Sql[]): Sql => (conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `));

/** More than this many hits of one kind are not looked through: whoever searches so widely means another word. */
const MOST_MATCHES = 1_000;

function textMatches(text: string): Sql {
  const prefix = isOrderId(text)
    ? sql`select order_id from orders where order_id >= ${text} and order_id < ${`${text}~`} order by order_id limit ${MOST_MATCHES}`
    : sql`select null where false`;
  return sql`
    (${prefix})
    union (select order_id from orders where customer_id = ${text} order by received_at desc, order_id desc limit ${MOST_MATCHES})
    union (select order_id from shipments where tracking_number = ${text} limit ${MOST_MATCHES})
    union (select order_id from invoices where invoice_id = ${text})
    union (select order_id from credit_notes where credit_note_id = ${text})`;
}

/** Claimed and waiting for a worker: few at any time, so their lines are looked into one by one. */
function untakenOrders(filter: OrderFilter, after: Cursor | undefined, limit: number): Sql {
  const { status, customerId, source, overdue, sku, text, from, to } = filter;
  const at = sql`date_trunc('milliseconds', l.claimed_at)`;
  const where = all([
    sql`l.run_id is null and l.state in ('claimed', 'started') and l.placed is not null`,
    sql`not exists (select from orders o where o.order_id = l.order_id)`,
    ...(status === undefined || status.includes('pending') ? [] : [sql`false`]),
    ...(overdue === undefined ? [] : [sql`false`]),
    ...(customerId === undefined ? [] : [sql`l.placed ->> 'customerId' = ${customerId}`]),
    ...(source === undefined ? [] : [sql`l.source = ${source}`]),
    ...(sku === undefined ? [] : [sql`l.placed -> 'items' @> ${JSON.stringify([{ sku }])}::jsonb`]),
    ...(text === undefined ? [] : [sql`(starts_with(l.order_id, ${text}) or l.placed ->> 'customerId' = ${text})`]),
    ...(from === undefined ? [] : [sql`${at} >= ${new Date(from)}`]),
    ...(to === undefined ? [] : [sql`${at} < ${new Date(to)}`]),
    ...(after === undefined ? [] : [sql`(${at}, l.order_id) < (${new Date(after.at)}, ${after.id} collate "C")`]),
  ]);
  return sql`
    select l.order_id, 'pending', null, l.source, l.placed ->> 'customerId', l.placed ->> 'currency', null,
      to_timestamp((l.placed ->> 'placedAt')::float8 / 1000), ${at}, null
    from ledger l where ${where} order by l.claimed_at desc, l.order_id desc limit ${limit}`;
}
