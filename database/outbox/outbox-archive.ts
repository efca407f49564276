import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { hash } from 'node:crypto';
import type { Database } from '../database.ts';
import { storable } from '../ledger/records.ts';
import type { ReplayOptions } from '../replays/replays.ts';

/** Which events of the outbox are meant. */
export type ArchiveFilter = Pick<ReplayOptions, 'fromTime' | 'toTime' | 'orderIds' | 'types' | 'topics'>;

/** An event that is in the outbox, whole: what is told again is this. */
export interface ToldEvent {
  id: number;
  eventId: string;
  orderId: string;
  version: number;
  /** Without prefix. */
  topic: string;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
  /** Database time, ms since the epoch. */
  createdAt: number;
}

/** An event in the range, by what there is to do about it. */
export interface ArchivedEvent extends ToldEvent {
  /** Kafka has confirmed it. */
  isSent: boolean;
  /** A newer `order-status` of its order is there: only the newest is ever told again. */
  isSuperseded: boolean;
}

interface ArchiveRow {
  id: number;
  event_id: string;
  order_id: string;
  version: number;
  topic: string;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
  created_at: Date;
}

/** Values read at once, in bytes. */
const READ_BYTES = 16 * 1_024 * 1_024;

function meant({ fromTime, toTime, orderIds, types, topics }: ArchiveFilter): RawBuilder<boolean> {
  const conditions = [
    fromTime === null ? undefined : sql<boolean>`o.created_at >= ${new Date(fromTime)}`,
    toTime === null ? undefined : sql<boolean>`o.created_at < ${new Date(toTime)}`,
    orderIds && sql<boolean>`o.order_id = any(${orderIds}::text[])`,
    types && sql<boolean>`o.type = any(${types}::text[])`,
    topics && sql<boolean>`o.topic = any(${topics}::text[])`,
  ].filter((condition) => condition !== undefined && condition !== null);
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

const superseded = sql<boolean>`o.topic = 'order-status' and exists (
  select from outbox newer where newer.order_id = o.order_id and newer.version > o.version and newer.topic = 'order-status'
)`;

const COLUMNS = sql`o.id, o.event_id, o.order_id, o.version, o.topic, o.key, o.value, o.headers, o.created_at`;

/** The ids of the outbox as it stands now: from the first event that is meant to one past the last. */
export async function archiveRange(db: Database, filter: ArchiveFilter): Promise<{ from: number; end: number }> {
  const { rows } = await sql<{ first: number | null; last: number | null }>`
    select min(o.id) as first, max(o.id) as last from outbox o where ${meant(filter)}
  `.execute(db);
  const { first, last } = rows[0] ?? {};
  return { from: first ?? 0, end: (last ?? -1) + 1 };
}

/** How many of the events meant there are, by topic or by why they are not told again; with the first event ids of each. */
export async function countArchive(
  db: Database,
  filter: ArchiveFilter,
  range: { from: number; end: number },
  samples: number,
): Promise<{ what: string; count: number; samples: { id: number; order_id: string; event_id: string }[] }[]> {
  const { rows } = await sql<{
    what: string;
    count: number;
    samples: { id: number; order_id: string; event_id: string }[];
  }>`
    with meant as (
      select o.id, o.order_id, o.event_id,
        case when ${superseded} then 'superseded' when o.sent_at is null then 'unsent' else o.topic end as what
      from outbox o where o.id >= ${range.from} and o.id < ${range.end} and ${meant(filter)}
    ), numbered as (select *, row_number() over (partition by what order by id) as n from meant)
    select what, count(*) as count,
      json_agg(json_build_object('id', id, 'order_id', order_id, 'event_id', event_id) order by id)
        filter (where n <= ${samples}) as samples
    from numbered group by what order by what
  `.execute(db);
  return rows;
}

/** Events meant, from `next` on in the order they were told: those of one order by version. At most `limit` and about 16 MB. */
export async function readArchive(
  db: Database,
  filter: ArchiveFilter,
  range: { next: number; end: number },
  limit: number,
): Promise<ArchivedEvent[]> {
  const { rows } = await sql<ArchiveRow & { is_sent: boolean; is_superseded: boolean }>`
    with page as (
      select ${COLUMNS}, o.sent_at is not null as is_sent, ${superseded} as is_superseded,
        sum(octet_length(o.value)) over (order by o.id rows unbounded preceding) - octet_length(o.value) as before
      from (
        select * from outbox o where o.id >= ${range.next} and o.id < ${range.end} and ${meant(filter)}
        order by o.id limit ${limit}
      ) as o
    )
    select * from page where before < ${READ_BYTES} order by id
  `.execute(db);
  return rows.map((row) => ({ ...toldEvent(row), isSent: row.is_sent, isSuperseded: row.is_superseded }));
}

/** The newest `order-status` of orders that had an older one told again; null while Kafka has not confirmed it. */
export async function newerStatuses(
  db: Database,
  told: readonly { orderId: string; version: number }[],
): Promise<{ orderId: string; event: ToldEvent | null }[]> {
  if (told.length === 0) return [];
  const { rows } = await sql<ArchiveRow & { sent_at: Date | null }>`
    select ${COLUMNS}, o.sent_at from unnest(${told.map((one) => one.orderId)}::text[],
      ${told.map((one) => one.version)}::bigint[]) as told(order_id, version)
    cross join lateral (
      select * from outbox newest where newest.order_id = told.order_id and newest.version > told.version
        and newest.topic = 'order-status' order by newest.version desc limit 1
    ) as o
  `.execute(db);
  return rows.map((row) => ({ orderId: row.order_id, event: row.sent_at === null ? null : toldEvent(row) }));
}

function toldEvent(row: ArchiveRow): ToldEvent {
  const { id, version, topic, key, value, headers } = row;
  const createdAt = row.created_at.getTime();
  return { id, eventId: row.event_id, orderId: row.order_id, version, topic, key, value, headers, createdAt };
}

/** A record that has the id of an event. */
interface GivenEvent {
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
