import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { isRefused } from '../ledger/refused-records.ts';

/** An offset for each partition of each topic (without prefix). */
export type TopicOffsets = Record<string, Record<string, string>>;

const ACCOUNTED = 'topics.accounted';

/**
 * Up to where the records of our topics are accounted for whatever the outbox says: told under another ledger that was
 * adopted, or taken in as far as they can be by a rebuild.
 */
export async function readAccounted(db: Database): Promise<TopicOffsets> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', ACCOUNTED).executeTakeFirst();
  return (row?.value as TopicOffsets | undefined) ?? {};
}

/** Topics that are not given stay as they were accounted for. */
export async function writeAccounted(db: Database, offsets: TopicOffsets): Promise<void> {
  const value = JSON.stringify({ ...(await readAccounted(db)), ...offsets });
  await db
    .insertInto('settings')
    .values({ name: ACCOUNTED, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/** Newest rows whose times are compared: the oldest of them counts, should the database's clock have been set back. */
const NEWEST = 100;

/** When the newest events of orders were written, database time in ms; undefined in an empty outbox. */
export async function newestToldAt(db: Database): Promise<number | undefined> {
  const { rows } = await sql<{ at: Date | null }>`
    select min(created_at) as at from (
      select created_at from outbox where version is not null order by id desc limit ${NEWEST}
    ) as newest
  `.execute(db);
  return rows[0]?.at?.getTime();
}

/** Which of these event ids the outbox does not have. */
export async function untoldEvents(db: Database, eventIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ eventId: string }>`
    select given.event_id as "eventId" from unnest(${[...eventIds]}::text[]) as given(event_id)
    where not exists (select from outbox where outbox.event_id = given.event_id)
  `.execute(db);
  return new Set(rows.map(({ eventId }) => eventId));
}

/** A record by the order id that is its key, and the id of the dead letter it would be. */
export interface TakenRecord {
  orderId: string | null;
  deadLetterId: string;
}

/** Of records that ingest has committed, those the database knows nothing of: their positions in the input. */
export async function untakenRecords(db: Database, records: readonly TakenRecord[]): Promise<number[]> {
  const { rows } = await sql<{ position: number }>`
    select given.position::int as position
    from unnest(${records.map((r) => r.orderId)}::text[], ${records.map((r) => r.deadLetterId)}::text[])
      with ordinality as given(order_id, letter_id, position)
    where not exists (select from ledger where ledger.order_id = given.order_id)
      and not ${isRefused(sql`given.letter_id`, sql`given.order_id`)}
    order by position
  `.execute(db);
  return rows.map(({ position }) => position - 1);
}
