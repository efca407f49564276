import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { CREDIT_NOTES, INVOICES } from '../series.ts';

/** The setting that says from which number on a series is whole: after a rebuild its older documents may be gone. */
export const seriesFromSetting = (series: string): string => `series.from.${series}`;

/** The least numbers of the next documents, where the topics do not tell: those of charges outside of orders, for one. */
export interface NextNumbers {
  invoice?: number;
  creditNote?: number;
}

/**
 * What follows from the rebuilt orders: pieces reserved, numbers of invoices and credit notes, and what customers have
 * spent. Safe to repeat while nothing else writes.
 */
export async function settleRebuilt(tx: Database, next: NextNumbers): Promise<void> {
  await reserve(tx);
  await continueSeries(tx, INVOICES, 'invoices', next.invoice ?? 1);
  await continueSeries(tx, CREDIT_NOTES, 'credit_notes', next.creditNote ?? 1);
  await spend(tx);
}

/** Levels come from their topic afterwards: until then nothing is there but what is promised. */
async function reserve(tx: Database): Promise<void> {
  await sql`delete from stock`.execute(tx);
  await sql`
    insert into stock (sku, warehouse, on_hand, reserved)
    select i.sku, f.warehouse, sum(i.quantity), sum(i.quantity)
    from fulfillments f join fulfillment_items i using (fulfillment_id)
    left join shipments s on s.shipment_id = f.fulfillment_id
    where f.holds_stock and f.warehouse is not null and f.status in ('pending', 'processing') and s.dispatched_at is null
    group by i.sku, f.warehouse
  `.execute(tx);
}

async function continueSeries(tx: Database, series: string, table: string, least: number): Promise<void> {
  await sql`
    with numbers as (select min(number) as first, max(number) as last from ${sql.table(table)}),
    put as (
      insert into invoice_series (series, next) select ${series}, greatest(coalesce(last, 0) + 1, ${least}::bigint) from numbers
      on conflict (series) do update set next = excluded.next
    )
    insert into settings (name, value)
    select ${seriesFromSetting(series)}, to_jsonb(case when ${least}::bigint > coalesce(last, 0) + 1 then ${least}::bigint else first end)
    from numbers where ${least}::bigint > coalesce(last, 0) + 1 or first > 1
    on conflict (name) do update set value = excluded.value
  `.execute(tx);
}

const OVER_LIMIT = 'OMS_SPEND_LIMIT_EXCEEDED%';

async function spend(tx: Database): Promise<void> {
  await sql`
    insert into spend_decisions (fulfillment_id, order_id, customer_id, currency, amount, approved, given_back)
    select i.fulfillment_id, i.order_id, i.customer_id, i.currency, i.total,
      coalesce(p.decline_reason, '') not like ${OVER_LIMIT},
      case when coalesce(p.decline_reason, '') like ${OVER_LIMIT} then 0 else least(i.total, n.credited) end
    from invoices i join payments p using (fulfillment_id)
    cross join lateral (
      select coalesce(sum(total), 0)::bigint as credited from credit_notes c where c.fulfillment_id = i.fulfillment_id
    ) as n
    on conflict do nothing
  `.execute(tx);
  await sql`
    insert into customer_spend (customer_id, currency, spent)
    select customer_id, currency, sum(amount - given_back) from spend_decisions where approved
    group by customer_id, currency
    on conflict (customer_id, currency) do update set spent = excluded.spent
  `.execute(tx);
}

/** Orders that were told to have ended are closed in the ledger, and what was kept for them is done with. */
export async function closeRebuilt(tx: Database): Promise<number> {
  const { rows } = await sql<{ closed: number }>`
    with closed as (
      update ledger set state = 'closed', started_at = o.received_at, closed_at = o.closed_at
      from orders o where o.order_id = ledger.order_id and o.closed_at is not null and ledger.state = 'claimed'
      returning 1
    ) select count(*) as closed from closed
  `.execute(tx);
  await sql`
    with done as (
      delete from parked_events p using ledger l where l.order_id = p.order_id and l.state = 'closed'
      returning p.order_id, p.event_id, p.payload_hash,
        case p.message ->> 'kind' when 'cancel' then 'OrderCancelled' when 'amend' then 'OrderAmended'
          else 'CustomerAction' end as type
    )
    insert into ledger_events (order_id, event_id, type, outcome, payload_hash)
    select order_id, event_id, type, 'handled', payload_hash from done on conflict do nothing
  `.execute(tx);
  return rows[0]?.closed ?? 0;
}
