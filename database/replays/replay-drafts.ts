import { sql } from 'kysely';
import type { Database } from '../database.ts';

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
