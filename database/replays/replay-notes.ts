import { sql } from 'kysely';
import { OmsError } from '../../domain/errors.ts';
import { rowsOf } from '../database.ts';
import type { Database } from '../database.ts';

/** What a dry run would have changed by a record, or has seen of it; kept until the run is over. */
export interface ReplayNote<V> {
  /** What it is about: an order, a SKU, a dead letter. */
  subject: string;
  /** Unique within the subject. */
  name: string;
  value: V;
}

/** All notes about these subjects, in the order they were made first; none where no replay keeps any. */
export async function readNotes<V>(
  db: Database,
  replayId: string | undefined,
  subjects: readonly string[],
): Promise<ReplayNote<V>[]> {
  if (replayId === undefined || subjects.length === 0) return [];
  const { rows } = await sql<ReplayNote<V>>`
    select subject, name, value from replay_notes
    where replay_id = ${replayId} and subject = any(${[...new Set(subjects)]}::text[]) order by n
  `.execute(db);
  return rows;
}

/** Writes the notes of a replay that keeps any down; the newest of a name is the one that stays. */
export async function writeNotes(
  tx: Database,
  replayId: string | undefined,
  notes: readonly ReplayNote<unknown>[],
): Promise<void> {
  if (replayId === undefined) return;
  const newest = [...new Map(notes.map((note) => [`${note.subject}\n${note.name}`, note])).values()];
  if (newest.length === 0) return;
  await sql`
    insert into replay_notes (replay_id, subject, name, value)
    select ${replayId}, r.subject, r.name, r.value from ${rowsOf(newest, 'subject text, name text, value jsonb')}
    on conflict (replay_id, subject, name) do update set value = excluded.value
  `.execute(tx);
}

/** Nothing is about an empty subject but this: that a dry run has begun. A crash takes it with everything else. */
const BEGUN = { subject: '', name: 'begun' };

/** From here on it is seen when what a dry run has noted, or drafted, is gone. */
export async function beginNotes(tx: Database, replayId: string): Promise<void> {
  const row = { replay_id: replayId, ...BEGUN, value: 'true' };
  await tx.insertInto('replay_notes').values(row).execute();
}

/** Whether a dry run's notes were begun, and are there still. */
export async function hasBegun(db: Database, replayId: string): Promise<boolean> {
  const begun = db.selectFrom('replay_notes').select('n').where('replay_id', '=', replayId);
  const row = await begun.where('subject', '=', BEGUN.subject).where('name', '=', BEGUN.name).executeTakeFirst();
  return row !== undefined;
}

/** @throws OmsError OMS_REPLAY_NOTES_LOST when PostgreSQL has emptied its unlogged tables since they were begun */
export async function assertNotesKept(tx: Database, replayId: string): Promise<void> {
  if (await hasBegun(tx, replayId)) return;
  const why = 'the database has recovered from a crash or been failed over, and what was noted up to there is gone';
  throw new OmsError('OMS_REPLAY_NOTES_LOST', `replay ${replayId} has to begin again: ${why}; plan it again`);
}

/** An event a dry run came across and the ledger does not know: what the ledger would say of it after a real run. */
export interface Draft {
  orderId: string;
  eventId: string;
  contentHash: Buffer;
  /** Of the event that places the order; null on all others. */
  placed: { source: string; fingerprint: Buffer } | null;
}

interface DraftRow {
  order_id: string;
  event_id: string;
  content_hash: Buffer;
  source: string | null;
  fingerprint: Buffer | null;
}

/** All drafts of these orders. */
export async function readDrafts(db: Database, replayId: string, orderIds: readonly string[]): Promise<Draft[]> {
  if (orderIds.length === 0) return [];
  const { rows } = await sql<DraftRow>`
    select draft.* from unnest(${[...orderIds]}::text[]) as given(order_id) cross join lateral (
      select order_id, event_id, content_hash, source, fingerprint from replay_drafts
      where replay_id = ${replayId} and order_id = given.order_id
    ) as draft
  `.execute(db);
  return rows.map(({ order_id, event_id, content_hash, source, fingerprint }) => ({
    orderId: order_id,
    eventId: event_id,
    contentHash: content_hash,
    placed: source !== null && fingerprint ? { source, fingerprint } : null,
  }));
}

/** Writes drafts down; one that is there stays as it is. */
export async function writeDrafts(db: Database, replayId: string, drafts: readonly Draft[]): Promise<void> {
  if (drafts.length === 0) return;
  await sql`
    insert into replay_drafts (replay_id, order_id, event_id, content_hash, source, fingerprint)
    select ${replayId}, d.* from unnest(${drafts.map((d) => d.orderId)}::text[], ${drafts.map((d) => d.eventId)}::text[],
      ${drafts.map((d) => d.contentHash)}::bytea[], ${drafts.map((d) => d.placed?.source ?? null)}::text[],
      ${drafts.map((d) => d.placed?.fingerprint ?? null)}::bytea[])
      as d(order_id, event_id, content_hash, source, fingerprint)
    on conflict do nothing
  `.execute(db);
}

export async function hasDrafts(db: Database, replayId: string): Promise<boolean> {
  const found = db.selectFrom('replay_drafts').select('replay_id').where('replay_id', '=', replayId).limit(1);
  return (await found.executeTakeFirst()) !== undefined;
}

/** All a dry run has kept for itself. */
export async function dropDrafts(db: Database, replayId: string): Promise<void> {
  await db.deleteFrom('replay_drafts').where('replay_id', '=', replayId).execute();
  await db.deleteFrom('replay_notes').where('replay_id', '=', replayId).execute();
}
