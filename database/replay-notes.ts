import { sql } from 'kysely';
import type { Database } from './database.ts';
import { rowsOf } from './orders/rows.ts';

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
