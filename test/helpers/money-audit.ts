import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';

/** What of the books does not add up, in words; empty when all does. Every order has to be at rest. */
export async function moneyFaults(db: Database): Promise<string[]> {
  const audits = [accounts, strayCharges, gaps, spending, overRefunds, given];
  return (await Promise.all(audits.map((audit) => audit(db)))).flat();
}

/** Taken less given back = invoiced less credited less what is owed still; and the provider knows the same sums. */
async function accounts(db: Database): Promise<string[]> {
  const { rows } = await sql<{ id: string; kept: number; billed: number; open: number; ours: string; theirs: string }>`
    select i.fulfillment_id as id, coalesce(c.captured - c.refunded, 0) as kept, i.total - n.credited as billed,
      case when p.mode = 'capture-at-handover' and p.status in ('authorized', 'failed')
        then i.total - n.credited else 0 end as open,
      p.captured || '/' || p.refunded as ours, coalesce(c.captured, 0) || '/' || coalesce(c.refunded, 0) as theirs
    from invoices i
    join payments p on p.fulfillment_id = i.fulfillment_id
    left join simulated_charges c on c.key = i.fulfillment_id
    cross join lateral (
      select coalesce(sum(total), 0)::bigint as credited from credit_notes where fulfillment_id = i.fulfillment_id
    ) as n
  `.execute(db);
  return rows.flatMap(({ id, kept, billed, open, ours, theirs }) => [
    ...(kept === billed - open ? [] : [`${id} keeps ${kept}, billed ${billed}, open ${open}`]),
    ...(ours === theirs ? [] : [`${id}: we say ${ours}, the provider ${theirs}`]),
  ]);
}

async function strayCharges(db: Database): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select key from simulated_charges where not exists (select from invoices where fulfillment_id = key)
    union all
    select fulfillment_id from payments p where not exists (select from invoices i where i.fulfillment_id = p.fulfillment_id)
  `.execute(db);
  return rows.map(({ key }) => `${key} was charged without an invoice`);
}

/** Both series are 1, 2, 3 …, and the next number follows the last. */
async function gaps(db: Database): Promise<string[]> {
  const { rows } = await sql<{ series: string; count: number; last: number; next: number }>`
    select d.series, count(*) as count, max(d.number) as last, s.next
    from (select series, number from invoices union all select series, number from credit_notes) as d
    join invoice_series s on s.series = d.series group by d.series, s.next
  `.execute(db);
  return rows.flatMap(({ series, count, last, next }) =>
    count === last && next === last + 1 ? [] : [`${series}: ${count} documents up to ${last}, then ${next}`],
  );
}

/** Spent = what was approved less what was credited of it. */
async function spending(db: Database): Promise<string[]> {
  const { rows } = await sql<{ customer_id: string; spent: number; should: number }>`
    select s.customer_id, s.spent, coalesce(sum(d.amount - n.credited), 0)::bigint as should
    from customer_spend s
    left join spend_decisions d on d.customer_id = s.customer_id and d.currency = s.currency and d.approved
      and d.tally = s.tally
    left join lateral (
      select coalesce(sum(total), 0)::bigint as credited from credit_notes where fulfillment_id = d.fulfillment_id
    ) as n on true
    group by s.customer_id, s.currency, s.spent, s.tally
  `.execute(db);
  return rows.flatMap(({ customer_id: id, spent, should }) =>
    spent === should ? [] : [`${id} has spent ${should}, and is said to have spent ${spent}`],
  );
}

/** One refund a credit note, of its amount; never more than was captured. */
async function overRefunds(db: Database): Promise<string[]> {
  const { rows } = await sql<{ fault: string }>`
    select 'refund without its credit note: ' || refund_key as fault from simulated_refunds r
    where not exists (
      select from credit_notes n where n.credit_note_id = r.refund_key and n.fulfillment_id = r.key and n.refunded = r.amount)
    union all
    select 'refunded without a refund: ' || credit_note_id from credit_notes n where n.refunded > 0
      and not exists (select from simulated_refunds r where r.refund_key = n.credit_note_id)
    union all
    select 'not settled: ' || credit_note_id from credit_notes where settled_at is null
    union all
    select 'refunded more than captured: ' || key from simulated_charges where refunded > captured or captured > amount
  `.execute(db);
  return rows.map(({ fault }) => fault);
}

/** What was given up is credited in full, and none of its money is kept. */
async function given(db: Database): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select f.fulfillment_id as id from fulfillments f
    join invoices i on i.fulfillment_id = f.fulfillment_id
    join payments p on p.fulfillment_id = f.fulfillment_id
    left join shipments s on s.shipment_id = f.fulfillment_id
    where f.status in ('cancelled', 'failed') and (s.dispatched_at is null or s.status = 'returned')
      and (p.captured <> p.refunded
        or i.total <> (select coalesce(sum(total), 0) from credit_notes n where n.fulfillment_id = f.fulfillment_id))
  `.execute(db);
  return rows.map(({ id }) => `${id} was given up, and is not settled`);
}
