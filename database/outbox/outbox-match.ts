import { hash } from 'node:crypto';
import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../database.ts';
import { storable } from '../ledger/records.ts';

/** A record that has the id of an event. */
export interface GivenEvent {
  eventId: string;
  key: string;
  value: Buffer | null;
  offset: bigint;
}

const digest = (value: Buffer | null): Buffer => hash('sha256', value ?? Buffer.alloc(0), 'buffer');

/**
 * Records beside the events of the outbox that have their ids, as a query: where each stands among the given, whether it is
 * an event of its topic at all, and whether key and bytes are those of the event. `topic`: without prefix; null = any.
 */
export function matchedRows(topic: string | null, given: readonly GivenEvent[]): RawBuilder<unknown> {
  return sql`
    select g.position::int, g."offset", e.id, e.order_id, e.topic, e.type, e.version, e.sequence,
      coalesce(e.topic = coalesce(${topic}::text, e.topic), false) as is_ours,
      coalesce(e.topic = coalesce(${topic}::text, e.topic) and e.key = g.key and sha256(e.value) = g.digest, false) as is_same
    from unnest(${given.map(({ eventId }) => storable(eventId))}::text[], ${given.map(({ key }) => storable(key))}::text[],
      ${given.map(({ value }) => digest(value))}::bytea[], ${given.map(({ offset }) => String(offset))}::bigint[]
    ) with ordinality as g(event_id, key, digest, "offset", position)
    left join outbox e on e.event_id = g.event_id
  `;
}

/** An event of the outbox, as a record of its id was compared with it. */
export interface MatchedEvent {
  orderId: string;
  /** Without prefix. */
  topic: string;
  type: string;
  version: number;
  sequence: number;
  /** Sequence of the event its order told on the topic before this one, what was given up not counted; 0 = none. */
  before: number;
  isSame: boolean;
}

/** The event with each record's id; undefined where the topic has none. */
export async function matchOutbox(
  db: Database,
  topic: string | null,
  given: readonly GivenEvent[],
): Promise<(MatchedEvent | undefined)[]> {
  if (given.length === 0) return [];
  const { rows } = await sql<MatchedEvent & { position: number }>`
    with matched as (${matchedRows(topic, given)})
    select m.position, m.order_id as "orderId", m.topic, m.type, m.version, m.sequence, m.is_same as "isSame",
      coalesce((
        select max(e.sequence) from outbox e where e.order_id = m.order_id and e.topic = m.topic
          and e.version < m.version and e.skipped_at is null
      ), 0) as before
    from matched m where m.is_ours
  `.execute(db);
  const found = new Map(rows.map(({ position, ...event }) => [position - 1, event]));
  return given.map((_, i) => found.get(i));
}
