import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { Difference, WholeCheck } from './difference.ts';

interface Row {
  sku: string;
  warehouse: string;
  reserved: number;
  held: number;
  orders: string[] | null;
}

/** Orders named with a SKU that is off. */
const NAMED_ORDERS = 5;

/**
 * Reserved = the sum of open fulfillments, for each SKU and warehouse, as of one moment. A fulfillment holds its pieces
 * until it has ended or was handed over.
 */
export function stockCheck(db: Database): WholeCheck {
  return async () => {
    const { rows } = await sql<Row>`
      with held as (
        select f.warehouse, i.sku, sum(i.quantity)::bigint as pieces, array_agg(distinct f.order_id) as orders
        from fulfillments f join fulfillment_items i using (fulfillment_id)
        left join shipments s on s.shipment_id = f.fulfillment_id
        where f.holds_stock and f.warehouse is not null and f.status in ('pending', 'processing')
          and s.dispatched_at is null
        group by f.warehouse, i.sku
      )
      select coalesce(k.sku, h.sku) as sku, coalesce(k.warehouse, h.warehouse) as warehouse,
        coalesce(k.reserved, 0) as reserved, coalesce(h.pieces, 0) as held, h.orders[1:${NAMED_ORDERS}::int] as orders
      from stock k full join held h on h.sku = k.sku and h.warehouse = k.warehouse
      where coalesce(k.reserved, 0) <> coalesce(h.pieces, 0)
      order by 1, 2
    `.execute(db);
    return rows.map(({ sku, warehouse, reserved, held, orders }): Difference => {
      const holders = orders ? ` (${orders.join(', ')}${orders.length === NAMED_ORDERS ? ' …' : ''})` : '';
      const detail = `${reserved} reserved, open fulfillments hold ${held}${holders}`;
      const subject = `${sku} in ${warehouse}`;
      const orderId = orders?.length === 1 ? (orders[0] ?? null) : null;
      return { part: 'stock', code: 'OMS_AUDIT_STOCK_RESERVED', orderId, subject, detail, remedy: null };
    });
  };
}
