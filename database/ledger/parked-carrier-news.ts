import { sql } from 'kysely';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import type { Database } from '../database.ts';
import { recordColumns, recordFrom } from './records.ts';
import type { RecordRow, StoredRecord } from './records.ts';

/** News that cannot be applied yet, with the record it came in; null when it came by push. */
export interface ParkedNews {
  news: CarrierUpdate;
  record: StoredRecord | null;
}

/** Parked news that is to be tried again. */
export interface DueNews extends ParkedNews {
  /** Its deadline is over: this is the last try. */
  overdue: boolean;
}

type Row = { news: CarrierUpdate; overdue: boolean } & ({ record_topic: null } | RecordRow);

const NO_RECORD = {
  ...{ record_topic: null, record_partition: null, record_offset: null, record_time: null },
  ...{ record_key: null, record_value: null, record_headers: null },
};
const RECORD_COLUMNS = Object.keys(NO_RECORD) as (keyof typeof NO_RECORD)[];

/**
 * Keeps news until its shipment is there, or its deadline is over. News that is parked already keeps its deadline, and the
 * first record it came in: pushed first, it gets one when the topic repeats it.
 */
export async function parkCarrierNews(db: Database, parked: readonly ParkedNews[], deadlineMs: number): Promise<void> {
  if (parked.length === 0) return;
  const rows = onePerUpdate(parked).map(({ news, record }) => ({
    shipment_id: news.shipmentId,
    update_id: news.updateId,
    news: JSON.stringify(news),
    deadline: sql<Date>`clock_timestamp() + make_interval(secs => ${deadlineMs / 1_000})`,
    ...(record ? recordColumns(record) : NO_RECORD),
  }));
  await db
    .insertInto('parked_carrier_news')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['shipment_id', 'update_id'])
        .doUpdateSet((set) => Object.fromEntries(RECORD_COLUMNS.map((name) => [name, set.ref(`excluded.${name}`)])))
        .where('parked_carrier_news.record_topic', 'is', null)
        .where('excluded.record_topic', 'is not', null),
    )
    .execute();
}

/** One statement can write a row once: the first that has a record stands for all. */
function onePerUpdate(parked: readonly ParkedNews[]): ParkedNews[] {
  const first = new Map<string, ParkedNews>();
  for (const one of parked) {
    const update = `${one.news.shipmentId}\n${one.news.updateId}`;
    const known = first.get(update);
    if (!known || (!known.record && one.record)) first.set(update, one);
  }
  return [...first.values()];
}

/** Takes up to `limit` that were not tried for `restMs`, longest ago first; other processes leave them alone for as long. */
export async function takeParkedNews(db: Database, restMs: number, limit: number): Promise<DueNews[]> {
  const { rows } = await sql<Row>`
    update parked_carrier_news as parked set tried_at = clock_timestamp()
    from (
      select shipment_id, update_id from parked_carrier_news
      where tried_at <= clock_timestamp() - make_interval(secs => ${restMs / 1_000})
      order by tried_at, shipment_id, update_id limit ${limit} for update skip locked
    ) as due
    where parked.shipment_id = due.shipment_id and parked.update_id = due.update_id
    returning parked.*, parked.deadline <= clock_timestamp() as overdue
  `.execute(db);
  const parked = rows.map((row) => ({
    news: row.news,
    record: row.record_topic === null ? null : recordFrom(row),
    overdue: row.overdue,
  }));
  return parked.sort((a, b) => Number(a.record?.offset ?? 0) - Number(b.record?.offset ?? 0));
}

/** News that has got a record since it was taken stays, for that record is to have its own end. */
export async function unparkCarrierNews(db: Database, ended: readonly ParkedNews[]): Promise<void> {
  if (ended.length === 0) return;
  await sql`
    delete from parked_carrier_news as parked
    using unnest(${ended.map(({ news }) => news.shipmentId)}::text[], ${ended.map(({ news }) => news.updateId)}::text[],
      ${ended.map(({ record }) => record !== null)}::boolean[]) as done(shipment_id, update_id, has_record)
    where parked.shipment_id = done.shipment_id and parked.update_id = done.update_id
      and (parked.record_topic is not null) = done.has_record
  `.execute(db);
}

/** What is known of news: it was applied, heard without being applied, or is parked; undefined = never heard of. */
export async function knownNews(
  db: Database,
  news: readonly CarrierUpdate[],
): Promise<('applied' | 'heard' | 'parked' | undefined)[]> {
  if (news.length === 0) return [];
  const { rows } = await sql<{ position: number; applied: boolean | null }>`
    select given.position::int, heard.applied
    from unnest(${news.map((one) => one.shipmentId)}::text[], ${news.map((one) => one.updateId)}::text[])
      with ordinality as given(shipment_id, update_id, position)
    left join carrier_updates heard using (shipment_id, update_id)
    left join parked_carrier_news parked using (shipment_id, update_id)
    where heard.update_id is not null or parked.update_id is not null
  `.execute(db);
  const known = new Map(rows.map(({ position, applied }) => [position - 1, applied]));
  return news.map((_, i) => {
    const applied = known.get(i);
    if (applied === undefined) return undefined;
    if (applied === null) return 'parked';
    return applied ? 'applied' : 'heard';
  });
}

/** How much news is parked. */
export async function countParkedNews(db: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from parked_carrier_news`.execute(db);
  return rows[0]?.count ?? 0;
}
