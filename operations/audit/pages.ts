import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';

/** Which orders are audited. */
export interface OrderChoice {
  /** Only these. */
  orderIds?: readonly string[];
  /** Only those whose state changed since, and those that have none. */
  since?: Date;
}

/** Orders looked at together: enough that a page costs no more in round trips than in work. */
export const PAGE_ORDERS = 1_000;

/** Every order id that the ledger or the orders' state has, page by page, in key order. */
export async function* orderPages(db: Database, { orderIds, since }: OrderChoice): AsyncGenerator<string[]> {
  if (orderIds) {
    for (let from = 0; from < orderIds.length; from += PAGE_ORDERS) yield orderIds.slice(from, from + PAGE_ORDERS);
    return;
  }
  const changed = since
    ? sql`and not exists (select from orders o where o.order_id = known.order_id and o.updated_at < ${since})`
    : sql``;
  for (let after = ''; ;) {
    const { rows } = await sql<{ orderId: string; isChosen: boolean }>`
      select known.order_id as "orderId", true ${changed} as "isChosen" from (
        (select order_id from ledger where order_id > ${after} order by order_id limit ${PAGE_ORDERS})
        union
        (select order_id from orders where order_id > ${after} order by order_id limit ${PAGE_ORDERS})
      ) as known order by known.order_id limit ${PAGE_ORDERS}
    `.execute(db);
    const last = rows.at(-1);
    if (!last) return;
    const chosen = rows.filter(({ isChosen }) => isChosen).map(({ orderId }) => orderId);
    if (chosen.length > 0) yield chosen;
    after = last.orderId;
  }
}

/** Those of the orders that the database has nothing of. */
export async function unknownOrders(db: Database, orderIds: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ orderId: string }>`
    select distinct given.order_id as "orderId" from unnest(${[...orderIds]}::text[]) as given(order_id)
    where not exists (select from ledger l where l.order_id = given.order_id)
      and not exists (select from orders o where o.order_id = given.order_id)
      and not exists (select from dead_letters d where d.order_id = given.order_id)
  `.execute(db);
  return rows.map(({ orderId }) => orderId);
}
