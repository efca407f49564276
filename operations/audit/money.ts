import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { seriesFromSetting, seriesLostSetting } from '../rebuild/order/settle.ts';
import type { AuditCode, Difference, OrderCheck, WholeCheck } from './difference.ts';

const found = (code: AuditCode, orderId: string | null, subject: string, detail: string): Difference => ({
  ...{ part: 'money', code, orderId, subject, detail, remedy: null },
});

interface Row {
  orderId: string;
  id: string;
  status: string;
  isGivenUp: boolean;
  isClosed: boolean;
  hasInvoice: boolean;
  payment: string;
  kept: number;
  invoiced: number;
  credited: number;
  owed: number;
  openNotes: number;
}

/**
 * Captured − refunded = invoiced − credited − owed, for each fulfillment whose payment is at rest: nothing of it is asked
 * for, or due back, just now. Of a closed order all is at rest.
 */
export function accountsCheck(db: Database): OrderCheck {
  return async (orderIds) => {
    const { rows } = await sql<Row>`
      select p.order_id as "orderId", p.fulfillment_id as id, f.status, i.invoice_id is not null as "hasInvoice",
        f.status in ('cancelled', 'failed') and (s.dispatched_at is null or s.status = 'returned') as "isGivenUp",
        o.closed_at is not null as "isClosed", p.status as payment, p.captured - p.refunded as kept,
        coalesce(i.total, 0) as invoiced, n.credited, n.open as "openNotes",
        case when p.mode = 'capture-at-handover' and p.status in ('authorized', 'failed')
          then coalesce(i.total, 0) - n.credited else 0 end as owed
      from payments p
      join orders o on o.order_id = p.order_id
      left join fulfillments f on f.fulfillment_id = p.fulfillment_id
      left join invoices i on i.fulfillment_id = p.fulfillment_id
      left join shipments s on s.shipment_id = p.fulfillment_id
      cross join lateral (
        select coalesce(sum(c.total), 0)::bigint as credited, count(*) filter (where c.settled_at is null) as open
        from credit_notes c where c.fulfillment_id = p.fulfillment_id
      ) as n
      where p.order_id = any(${[...orderIds]}::text[])
        -- Of an invoice without lines only the sums are left: it was rebuilt from what its topic had forgotten.
        and (i.lines is null or i.lines <> '[]'::jsonb)
    `.execute(db);
    return rows.flatMap(judge);
  };
}

function judge(row: Row): Difference[] {
  const { orderId, id, kept, invoiced, credited, owed } = row;
  if (!row.hasInvoice) return [found('OMS_AUDIT_INVOICE_MISSING', orderId, id, `payment is ${row.payment}`)];
  const isMoving = row.payment === 'pending' || row.openNotes > 0 || (row.isGivenUp && row.payment === 'authorized');
  if (isMoving && !row.isClosed) return [];
  const sums = `${kept} kept, ${invoiced} invoiced, ${credited} credited, ${owed} owed`;
  if (row.isGivenUp && (kept !== 0 || credited !== invoiced))
    return [found('OMS_AUDIT_CREDIT_OPEN', orderId, id, `is ${row.status}: ${sums}`)];
  if (row.isClosed && row.openNotes > 0)
    return [
      found('OMS_AUDIT_CREDIT_OPEN', orderId, id, `order is closed, ${row.openNotes} credit notes are not settled`),
    ];
  return kept === invoiced - credited - owed ? [] : [found('OMS_AUDIT_MONEY_DIFFERS', orderId, id, sums)];
}

interface SeriesRow {
  series: string;
  documents: number;
  last: number;
  next: number;
  from: number;
  missing: number | null;
}

/** Each series is numbered without a gap, and the next number follows the last. */
export function seriesCheck(db: Database): WholeCheck {
  return async () => {
    const { rows } = await sql<SeriesRow>`
      with documents as (
        select series, number from invoices union all select series, number from credit_notes
        -- What a rebuild could not bring back was given out all the same.
        union all select substring(s.name from length(${seriesLostSetting('')}::text) + 1), lost.number
        from settings s, jsonb_array_elements(s.value) as pair,
          generate_series((pair ->> 0)::bigint, (pair ->> 1)::bigint) as lost(number)
        where s.name like ${`${seriesLostSetting('')}%`}
      ), whole as (
        select s.series, s.next, coalesce((
          select (value #>> '{}')::bigint from settings where name = ${seriesFromSetting('')} || s.series
        ), 1) as from from invoice_series s
      )
      select w.series, count(d.number) as documents, coalesce(max(d.number), w.from - 1) as last, w.next, w.from,
        (select min(d.number) - 1 from documents d where d.series = w.series and d.number > w.from
          and not exists (select from documents b where b.series = d.series and b.number = d.number - 1)) as missing
      from whole w left join documents d on d.series = w.series and d.number >= w.from
      group by w.series, w.next, w.from
      having count(d.number) <> coalesce(max(d.number), w.from - 1) - w.from + 1
        or w.next <> coalesce(max(d.number), w.from - 1) + 1
    `.execute(db);
    return rows.map(({ series, documents, last, next, from, missing }) => {
      const gap = missing === null ? '' : `; number ${missing} is missing`;
      return found(
        'OMS_AUDIT_NUMBER_GAP',
        null,
        series,
        `${documents} documents from ${from} to ${last}, next is ${next}${gap}`,
      );
    });
  };
}

/**
 * Spent = what was approved less what was credited of it, for each customer and currency; a tally that was begun anew
 * counts its own decisions only.
 */
export function spendCheck(db: Database): WholeCheck {
  return async () => {
    const { rows } = await sql<{ customer: string; currency: string; spent: number; should: number }>`
      with should as (
        select d.customer_id, d.currency, d.tally, sum(d.amount - coalesce(c.credited, 0))::bigint as amount
        from spend_decisions d
        left join (select fulfillment_id, sum(total) as credited from credit_notes group by fulfillment_id) as c
          on c.fulfillment_id = d.fulfillment_id
        where d.approved group by d.customer_id, d.currency, d.tally
      ), tallies as (
        select customer_id, currency, tally, spent from customer_spend
        union all
        select customer_id, currency, tally, 0 from should w where not exists (
          select from customer_spend s where s.customer_id = w.customer_id and s.currency = w.currency)
      )
      select t.customer_id as customer, t.currency, t.spent, coalesce(w.amount, 0) as should
      from tallies t
      left join should w on w.customer_id = t.customer_id and w.currency = t.currency and w.tally = t.tally
      where t.spent <> coalesce(w.amount, 0) order by 1, 2
    `.execute(db);
    return rows.map(({ customer, currency, spent, should }) =>
      found(
        'OMS_AUDIT_SPEND_DIFFERS',
        null,
        `${customer} in ${currency}`,
        `${spent} is said to be spent, decisions and credit notes say ${should}`,
      ),
    );
  };
}

interface ChargeRow {
  id: string;
  kept: number;
  invoiced: number | null;
  credited: number;
}

/** The same as of fulfillments for charges outside of orders, once they have their answer. */
export function chargesCheck(db: Database): WholeCheck {
  return async () => {
    const { rows } = await sql<ChargeRow>`
      select p.fulfillment_id as id, p.captured - p.refunded as kept, i.total as invoiced, n.credited
      from charges c join payments p on p.fulfillment_id = c.charge_id
      left join invoices i on i.fulfillment_id = p.fulfillment_id
      cross join lateral (
        select coalesce(sum(total), 0)::bigint as credited from credit_notes where fulfillment_id = p.fulfillment_id
      ) as n
      where i.invoice_id is null or (p.status <> 'pending' and p.captured - p.refunded <> i.total - n.credited)
      order by 1
    `.execute(db);
    return rows.map(({ id, kept, invoiced, credited }) =>
      invoiced === null
        ? found('OMS_AUDIT_INVOICE_MISSING', null, id, 'charge without an invoice')
        : found('OMS_AUDIT_MONEY_DIFFERS', null, id, `${kept} kept, ${invoiced} invoiced, ${credited} credited`),
    );
  };
}
