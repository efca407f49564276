import pg from 'pg';
import { inBulk } from './bulk.ts';

/** Customers, SKUs and statuses are spread as in a shop that has run for two years: few are common, most are rare. */
const CUSTOMERS = 200_000;
const SKUS = 5_000;
const DAYS = 730;

/**
 * One draw for each order, always the same for its number. Powers of a uniform draw make few common and many rare:
 * the first customer has about 1.7 % of the orders, the first SKU stands in about one of ten.
 */
const DRAWN = `
  select n, case when n % 2 = 0 then 'web-' || lpad(n::text, 9, '0') else md5(n::text)::uuid::text end as order_id,
    'customer-' || 1 + floor(${CUSTOMERS} * power(draw(n, 'customer'), 3))::int as customer_id,
    case when n <= 2000 then 'legacy' when draw(n, 'source') < 0.6 then 'shop' else 'marketplace' end as source,
    case when draw(n, 'currency') < 0.8 then 'GBP' else 'EUR' end as currency,
    now() - make_interval(secs => ${DAYS} * 86400.0 * (1 - n::float8 / $1)) as at,
    case when n > $1 * 0.995 then (array['processing', 'processing', 'processing', 'pending'])[1 + n % 4]
      when draw(n, 'status') < 0.0003 then 'customerActionRequired'
      when draw(n, 'status') < 0.03 then 'cancelled' when draw(n, 'status') < 0.04 then 'failed'
      when draw(n, 'status') < 0.045 then 'partiallyCompleted' when draw(n, 'status') < 0.046 then 'timedOut'
      else 'completed' end as status,
    case when draw(n, 'overdue') < 0.0008 then 'shipBy' when draw(n, 'overdue') < 0.001 then 'deliverBy' end as overdue
  from generate_series(1, $1::int) as n`;

const FILL = [
  `create function pg_temp.draw(n int, what text) returns float8 language sql immutable
    return (hashtextextended(what || n, 0) & 1073741823) / 1073741824.0`,
  `create temp table drawn as ${DRAWN.replaceAll('draw(', 'pg_temp.draw(')}`,
  `insert into ledger (order_id, state, source, placed_event_id, run_id, claimed_at, started_at, closed_at)
    select order_id, case when status in ('processing', 'pending', 'customerActionRequired') then 'started' else 'closed' end,
      source, 'placed', 'run', at, at, null from drawn`,
  // Claimed, and taken by no worker yet.
  `insert into ledger (order_id, state, source, placed_event_id, placed, claimed_at)
    select 'new-' || n, 'claimed', 'shop', 'placed', jsonb_build_object('orderId', 'new-' || n, 'customerId', 'customer-' || n,
      'currency', 'GBP', 'placedAt', 1700000000000 + n, 'source', 'shop', 'shipTo', null, 'items', jsonb_build_array(
        jsonb_build_object('sku', 'sku-' || 1 + n % 100, 'quantity', 1, 'unitPrice', 1000, 'description', null))),
      now() - make_interval(secs => n / 10.0) from generate_series(1, 2000) as n`,
  `insert into orders (order_id, run_id, source, customer_id, currency, status, placed_at, received_at, closed_at, overdue, version)
    select order_id, 'run', source, customer_id, currency, status, at - interval '2 seconds', at,
      case when status not in ('processing', 'pending', 'customerActionRequired') then at + interval '2 days' end, overdue, 8
    from drawn order by n`,
  `insert into order_items (order_id, line, sku, quantity, unit_price, received_at)
    select order_id, line, 'sku-' || 1 + floor(${SKUS} * power(pg_temp.draw(n, 'sku' || line), 4))::int, 1 + n % 3, 1000, at
    from drawn cross join generate_series(1, 1 + n % 3) as line order by n`,
  `insert into fulfillments (fulfillment_id, order_id, n, round, warehouse, status)
    select order_id || ':1', order_id, 1, 1, 'north', 'completed' from drawn order by n`,
  `insert into shipments (shipment_id, order_id, status, carrier, tracking_number, booked_at)
    select order_id || ':1', order_id, case when status = 'processing' then 'booked' when n <= 300 then 'returned'
      when n % 5000 = 0 then 'cancelled' else 'delivered' end, case when n <= 500 then 'gone' when n % 3 = 0 then 'north'
      else 'south' end, 'T' || lpad(n::text, 10, '0'), at + interval '1 hour' from drawn order by n`,
  `insert into invoices (invoice_id, series, number, fulfillment_id, order_id, customer_id, currency, sub_total, tax,
      shipping, total, lines, pricing, issued_at)
    select 'INV-' || lpad(n::text, 8, '0'), 'INV', n, order_id || ':1', order_id, customer_id, currency, 1000, 200, 500, 1700,
      '[]', '{}', at + interval '1 minute' from drawn order by n`,
];

const TABLES = ['ledger', 'orders', 'order_items', 'fulfillments', 'shipments', 'invoices'];

/** Fills an empty database with so many orders. */
export async function fillOrders(databaseUrl: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await inBulk(client, TABLES, async () => {
    for (const statement of FILL) await client.query(statement, statement.includes('$1') ? [count] : []);
  });
  await client.end();
}
