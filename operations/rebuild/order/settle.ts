import { sql } from 'kysely';
import type { Database } from '../../../database/database.ts';
import { CREDIT_NOTES, INVOICES } from '../../../orders/money/series.ts';
import type { Series } from '../../../orders/money/series.ts';

/** The setting that says from which number on a series is whole: after a rebuild its older documents may be gone. */
export const seriesFromSetting = (series: string): string => `series.from.${series}`;

/** The setting with the numbers of a series that a rebuild could not bring back: pairs of a first and a last one. */
export const seriesLostSetting = (series: string): string => `series.lost.${series}`;

/** The least numbers of the next documents, where the topics do not tell: those of charges outside of orders, for one. */
export interface NextNumbers {
  invoice?: number;
  creditNote?: number;
}

/** Numbers that were given out and whose documents are gone, by series: firsts and lasts. */
export type LostNumbers = Record<Series, [first: number, last: number][]>;

/**
 * What follows from the rebuilt orders: pieces reserved, numbers of invoices and credit notes, and what customers have
 * spent. Safe to repeat while nothing else writes.
 */
export async function settleRebuilt(tx: Database, next: NextNumbers): Promise<LostNumbers> {
  await reserve(tx);
  const lost = {
    [INVOICES]: await continueSeries(tx, INVOICES, 'invoices', next.invoice ?? 1),
    [CREDIT_NOTES]: await continueSeries(tx, CREDIT_NOTES, 'credit_notes', next.creditNote ?? 1),
  };
  await spend(tx);
  return lost;
}

/**
 * What a backup has counted stays. Where nothing is counted, levels come from their topic afterwards: until then nothing is
 * there but what is promised.
 */
async function reserve(tx: Database): Promise<void> {
  await sql`
    insert into stock (sku, warehouse, on_hand, reserved) select sku, warehouse, pieces, pieces from (${HELD}) as held
    on conflict do nothing
  `.execute(tx);
  await sql`
    update stock k set reserved = n.pieces, on_hand = greatest(n.counted, n.pieces),
      shortage = greatest(n.pieces - n.counted, 0), version = k.version + 1, updated_at = now()
    from (
      select s.sku, s.warehouse, s.on_hand - s.shortage as counted, coalesce(h.pieces, 0) as pieces
      from stock s left join (${HELD}) as h on h.sku = s.sku and h.warehouse = s.warehouse
    ) as n
    where n.sku = k.sku and n.warehouse = k.warehouse and k.reserved <> n.pieces
  `.execute(tx);
}

const HELD = sql`
  select i.sku, f.warehouse, sum(i.quantity)::bigint as pieces
  from fulfillments f join fulfillment_items i using (fulfillment_id)
  left join shipments s on s.shipment_id = f.fulfillment_id
  where f.holds_stock and f.warehouse is not null and f.status in ('pending', 'processing') and s.dispatched_at is null
  group by i.sku, f.warehouse`;

/** A series goes on behind its last document, what it has given out before, and what is said. */
async function continueSeries(
  tx: Database,
  series: Series,
  table: 'invoices' | 'credit_notes',
  least: number,
): Promise<[number, number][]> {
  const { rows } = await sql<{ next: number }>`
    insert into invoice_series as s (series, next)
    select ${series}, greatest(coalesce(max(number), 0) + 1, ${least}::bigint) from ${sql.table(table)}
    on conflict (series) do update set next = greatest(s.next, excluded.next) returning next
  `.execute(tx);
  const next = rows[0]?.next ?? 1;
  const { first, lost } = await gapsIn(tx, table, next);
  if (first > 1) await put(tx, seriesFromSetting(series), first);
  if (lost.length > 0) await put(tx, seriesLostSetting(series), lost);
  return lost;
}

/** The first number that is there, and what is missing from there up to the next one. */
async function gapsIn(
  tx: Database,
  table: 'invoices' | 'credit_notes',
  next: number,
): Promise<{ first: number; lost: [number, number][] }> {
  const { rows } = await sql<{ first: number; last: number; isFirst: boolean }>`
    with numbers as (select number from ${sql.table(table)} union all select ${next}::bigint)
    select lag(number) over (order by number) + 1 as first, number - 1 as last, row_number() over (order by number) = 1 as "isFirst"
    from numbers order by number
  `.execute(tx);
  const lost = rows.filter(({ isFirst, first, last }) => !isFirst && first <= last);
  return { first: (rows[0]?.last ?? 0) + 1, lost: lost.map(({ first, last }) => [first, last]) };
}

async function put(tx: Database, name: string, value: unknown): Promise<void> {
  const row = { name, value: JSON.stringify(value) };
  await tx
    .insertInto('settings')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: row.value }))
    .execute();
}

const OVER_LIMIT = 'OMS_SPEND_LIMIT_EXCEEDED%';

/** Decisions of a backup stand, and count in their tally; a decision that is made up for counts in the customer's newest. */
async function spend(tx: Database): Promise<void> {
  await sql`
    insert into spend_decisions as d (fulfillment_id, order_id, customer_id, currency, amount, approved, given_back, tally)
    select i.fulfillment_id, i.order_id, i.customer_id, i.currency, i.total,
      coalesce(p.decline_reason, '') not like ${OVER_LIMIT},
      case when coalesce(p.decline_reason, '') like ${OVER_LIMIT} then 0 else least(i.total, n.credited) end,
      coalesce(s.tally, 0)
    from invoices i join payments p using (fulfillment_id)
    left join customer_spend s on s.customer_id = i.customer_id and s.currency = i.currency
    cross join lateral (
      select coalesce(sum(total), 0)::bigint as credited from credit_notes c where c.fulfillment_id = i.fulfillment_id
    ) as n
    on conflict (fulfillment_id) do update set given_back = excluded.given_back
      where d.approved and d.given_back <> excluded.given_back
  `.execute(tx);
  await sql`
    insert into customer_spend (customer_id, currency, spent)
    select d.customer_id, d.currency, sum(d.amount - d.given_back)
    from spend_decisions d left join customer_spend s on s.customer_id = d.customer_id and s.currency = d.currency
    where d.approved and d.tally = coalesce(s.tally, 0)
    group by d.customer_id, d.currency
    on conflict (customer_id, currency) do update set spent = excluded.spent
  `.execute(tx);
}

/** Orders that were told to have ended are closed in the ledger, and what was kept for them is done with. */
export async function closeRebuilt(tx: Database): Promise<number> {
  // The ledger's own times are those of its filling.
  await sql`
    update ledger set claimed_at = o.received_at from orders o
    where o.order_id = ledger.order_id and o.rebuilt_at is not null and ledger.claimed_at > o.received_at
  `.execute(tx);
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
