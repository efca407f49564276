import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { isOrderId } from '../../domain/ids.ts';
import type { Overdue } from '../../domain/order-messages.ts';
import type { OrderStatus } from '../../domain/status.ts';
import { PLANNED_ANEW, ledgerState, orderStatus } from '../database.ts';
import type { Database } from '../database.ts';
import { all, pageOf } from './cursor.ts';
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

/**
 * Orders newest first, those included that no worker has taken yet.
 *
 * Keys of a page are found first, in branches that are each one walk along an index in the list's order: one branch for
 * each status, and for each thing a text may mean. What is read is then about what is shown, however rare or common it is.
 */
export async function listOrders(
  db: Database,
  filter: OrderFilter,
  { after, limit }: { after?: Cursor | undefined; limit: number },
): Promise<Page<ListedOrder>> {
  const part = { after, limit: sql.lit(limit + 1) };
  const branches = ownConditions(filter);
  const byLines = await walksLines(db, filter, branches);
  const keys = branches.map(
    (own, i) => sql`(${byLines[i] ? keysByLines(filter, own, part) : keysByOrders(filter, own, part)})`,
  );
  const { rows } = await sql<ListedOrder>`${PLANNED_ANEW}
    with found as (
      select distinct received_at, order_id from (${sql.join(keys, sql` union all `)}) as branch
      order by received_at desc, order_id desc limit ${part.limit}
    )
    select * from (
      (select ${COLUMNS} from found join orders o on o.order_id = found.order_id)
      union all (${untakenOrders(filter, part)})
    ) as listed order by "receivedAt" desc, "orderId" desc limit ${part.limit}
  `.execute(db);
  return pageOf(rows, limit, ({ receivedAt, orderId }) => ({ at: receivedAt.getTime(), id: orderId }));
}

type Sql = RawBuilder<unknown>;

interface Part {
  after: Cursor | undefined;
  limit: Sql;
}

const COLUMNS = sql`o.order_id as "orderId", o.status, o.reason, o.source, o.customer_id as "customerId",
  o.currency::text as currency, o.overdue, o.placed_at as "placedAt", o.received_at as "receivedAt",
  o.closed_at as "closedAt"`;

/** What an order itself must be, branch by branch; its time and its lines aside. */
function ownConditions({ status = [], customerId, source, overdue, text }: OrderFilter): Sql[][] {
  const always = [
    ...(customerId === undefined ? [] : [sql`o.customer_id = ${customerId}`]),
    ...(source === undefined ? [] : [sql`o.source = ${source}`]),
    ...(overdue === undefined ? [] : [sql`o.overdue is not null`]),
    ...(overdue === undefined || overdue === 'any' ? [] : [sql`o.overdue = ${overdue}`]),
  ];
  const ofStatus = status.length === 0 ? [[]] : [...new Set(status)].map((one) => [sql`o.status = ${one}`]);
  const ofText = text === undefined ? [[]] : [[sql`o.customer_id = ${text}`], [sql`o.order_id in (${idsOf(text)})`]];
  return ofStatus.flatMap((a) => ofText.map((b) => [...always, ...a, ...b]));
}

/** Further than this it is not counted: of two sets so large, many are in both. */
const COUNTED = 20_000;

/**
 * Of each branch, whether to walk along the lines of the SKU and look at the orders, instead of along the orders and look for
 * the SKU among their lines: whichever is less. The planner has to guess how the two go together, and was wrong by seconds.
 */
async function walksLines(db: Database, { sku }: OrderFilter, branches: Sql[][]): Promise<boolean[]> {
  if (sku === undefined) return [];
  if (branches.every((own) => own.length === 0)) return branches.map(() => true);
  const upTo = sql.lit(COUNTED);
  const orders = branches.map(
    (own) => sql`(select count(*) from (select from orders o where ${all(own)} limit ${upTo}) as counted)`,
  );
  const { rows } = await sql<{ lines: number; orders: number[] }>`${PLANNED_ANEW}
    select (select count(*) from (select from order_items where sku = ${sku} limit ${upTo}) as counted) as lines,
      array[${sql.join(orders)}]::int[] as orders
  `.execute(db);
  return branches.map((_, i) => (rows[0]?.orders[i] ?? 0) >= (rows[0]?.lines ?? 0));
}

function keysByOrders(filter: OrderFilter, own: Sql[], { after, limit }: Part): Sql {
  const { sku } = filter;
  // As a value, not as a condition, so that it stays a look at each order.
  const line = sql`(select true from order_items i
    where i.sku = ${sku} and i.received_at = o.received_at and i.order_id = o.order_id limit 1)`;
  const where = all([...own, ...timeConditions('o', filter, after), ...(sku === undefined ? [] : [line])]);
  return sql`select o.received_at, o.order_id from orders o where ${where}
    order by o.received_at desc, o.order_id desc limit ${limit}`;
}

/** An order that has the SKU on two lines stands there twice. */
function keysByLines(filter: OrderFilter, own: Sql[], { after, limit }: Part): Sql {
  // With the time it is one look into the index of what the order must be.
  const order = sql`(select true from orders o
    where o.order_id = i.order_id and o.received_at = i.received_at and ${all(own)} limit 1)`;
  const lines = [sql`i.sku = ${filter.sku}`, ...timeConditions('i', filter, after)];
  const where = all(own.length === 0 ? lines : [...lines, order]);
  return sql`select distinct i.received_at, i.order_id from order_items i where ${where}
    order by i.received_at desc, i.order_id desc limit ${limit}`;
}

function timeConditions(table: 'o' | 'i', { from, to }: OrderFilter, after: Cursor | undefined): Sql[] {
  const [at, id] = [sql.ref(`${table}.received_at`), sql.ref(`${table}.order_id`)];
  return [
    ...(from === undefined ? [] : [sql`${at} >= ${new Date(from)}`]),
    ...(to === undefined ? [] : [sql`${at} < ${new Date(to)}`]),
    ...(after === undefined ? [] : [sql`(${at}, ${id}) < (${new Date(after.at)}, ${after.id} collate "C")`]),
  ];
}

/** More than this many ids with one beginning are not looked through: whoever searches so widely means another word. */
const MOST_MATCHES = 1_000;

function idsOf(text: string): Sql {
  const prefix = isOrderId(text)
    ? sql`select order_id from orders where order_id >= ${text} and order_id < ${`${text}~`} order by order_id limit ${sql.lit(MOST_MATCHES)}`
    : sql`select null where false`;
  return sql`
    (${prefix})
    union (select order_id from shipments where tracking_number = ${text} limit ${sql.lit(MOST_MATCHES)})
    union (select order_id from invoices where invoice_id = ${text})
    union (select order_id from credit_notes where credit_note_id = ${text})`;
}

/** The last moment that has a name. */
const LAST_MS = 8.64e15;

/** Claimed, and waiting for a worker: few, unless a part of the system is away. */
function untakenOrders(filter: OrderFilter, { after, limit }: Part): Sql {
  const { status, customerId, source, overdue, sku, text, from, to } = filter;
  if (overdue !== undefined || (status && !status.includes('pending'))) return NO_ORDERS;
  // As it is shown; the bounds of the column itself are what the index is for.
  const at = sql`date_trunc('milliseconds', l.claimed_at)`;
  const where = all([
    sql`l.run_id is null and l.state in (${ledgerState('claimed', 'started')}) and l.placed is not null`,
    sql`not exists (select from orders o where o.order_id = l.order_id)`,
    ...(customerId === undefined ? [] : [sql`l.placed ->> 'customerId' = ${customerId}`]),
    ...(source === undefined ? [] : [sql`l.source = ${source}`]),
    ...(sku === undefined ? [] : [sql`l.placed -> 'items' @> ${JSON.stringify([{ sku }])}::jsonb`]),
    ...(text === undefined ? [] : [sql`(starts_with(l.order_id, ${text}) or l.placed ->> 'customerId' = ${text})`]),
    ...(from === undefined ? [] : [sql`l.claimed_at >= ${new Date(from)}`]),
    ...(to === undefined ? [] : [sql`l.claimed_at < ${new Date(to)}`]),
    ...(after === undefined
      ? []
      : [
          sql`l.claimed_at < ${new Date(Math.min(after.at + 1, LAST_MS))}`,
          sql`(${at}, l.order_id) < (${new Date(after.at)}, ${after.id} collate "C")`,
        ]),
  ]);
  return sql`
    select l.order_id, ${orderStatus('pending')}, null, l.source, l.placed ->> 'customerId', l.placed ->> 'currency', null,
      to_timestamp((l.placed ->> 'placedAt')::float8 / 1000), ${at}, null
    from ledger l where ${where} order by l.claimed_at desc, l.order_id desc limit ${limit}`;
}

const NO_ORDERS = sql`select ${COLUMNS} from orders o where false`;
