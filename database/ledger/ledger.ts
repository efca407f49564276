import { sql } from 'kysely';
import { FINGERPRINT_VERSION } from '../../domain/order.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import { ledgerState } from '../database.ts';
import type { Database } from '../database.ts';
import type { LedgerEventsTable, LedgerState } from '../tables/ledger.ts';
import { recordTime } from './records.ts';
import type { StoredRecord } from './records.ts';

/** What the ledger knows about an order id. */
export interface LedgerEntry {
  orderId: string;
  state: LedgerState;
  /** Null while the order is only awaited, as are the three below. */
  source: string | null;
  fingerprint: Buffer | null;
  fingerprintVersion: number | null;
  placedEventId: string | null;
}

/** An incoming event, by the two ids it is known under. */
export interface EventKey {
  orderId: string;
  eventId: string;
}

/** An event whose effect is durable (or which is parked), and the hash of what it said; null where that is not known. */
export interface KnownEvent extends EventKey {
  contentHash: Buffer | null;
}

/** `handled`: its effect is durable; else it is only parked. */
export interface SeenEvent extends KnownEvent {
  handled: boolean;
}

export interface LedgerView {
  entries: Map<string, LedgerEntry>;
  events: SeenEvent[];
}

/** A new order to be written into the ledger. */
export interface Claim {
  order: PlacedOrder;
  eventId: string;
  fingerprint: Buffer;
  record: ClaimedRecord;
}

/** The record an order came in. One that was posted over HTTP is claimed before it has a place on the topic. */
export type ClaimedRecord = Pick<StoredRecord, 'topic' | 'time' | 'value'> & {
  partition: number | null;
  offset: number | null;
};

/** An incoming event that is done with. */
export interface DoneEvent extends KnownEvent {
  type: string;
  outcome: LedgerEventsTable['outcome'];
}

const byOrder = (a: { orderId: string }, b: { orderId: string }): number =>
  a.orderId < b.orderId ? -1 : a.orderId > b.orderId ? 1 : 0;

/** Of sha-256. */
const HASH_BYTES = 32;

/**
 * Which of these contents are done with already, under the order they are said to belong to: their positions in the
 * input. This is the whole cost of a record that was read before, so it is one index look-up each and one row back for
 * all of them.
 */
export async function knownContents(
  db: Database,
  contents: readonly { orderId: string; contentHash: Buffer }[],
): Promise<Set<number>> {
  if (contents.length === 0) return new Set();
  // One text and one run of bytes: arrays would cost several strings an element on the way.
  const orderIds = contents.map((c) => c.orderId).join(',');
  const hashes = Buffer.concat(contents.map((c) => c.contentHash));
  const { rows } = await sql<{ positions: number[] | null }>`
    select array_agg(given.position::int) as positions
    from unnest(string_to_array(${orderIds}, ',')) with ordinality as given(order_id, position)
    cross join lateral (
      select from ledger_events known where known.order_id = given.order_id
        and known.payload_hash = substring(${hashes}::bytea from (given.position::int - 1) * ${HASH_BYTES} + 1 for ${HASH_BYTES})
      limit 1
    ) as known
  `.execute(db);
  return new Set((rows[0]?.positions ?? []).map((position) => position - 1));
}

/**
 * The same question, answered with the states of the orders that have these contents: for whoever wants to know what
 * became of them, at the cost of one more look-up each.
 */
export async function knownStates(
  db: Database,
  contents: readonly { orderId: string; contentHash: Buffer }[],
): Promise<Map<number, LedgerState>> {
  if (contents.length === 0) return new Map();
  const orderIds = contents.map((c) => c.orderId).join(',');
  const hashes = Buffer.concat(contents.map((c) => c.contentHash));
  const { rows } = await sql<{ state: LedgerState; positions: number[] }>`
    select l.state, array_agg(given.position::int) as positions
    from unnest(string_to_array(${orderIds}, ',')) with ordinality as given(order_id, position)
    cross join lateral (
      select from ledger_events known where known.order_id = given.order_id
        and known.payload_hash = substring(${hashes}::bytea from (given.position::int - 1) * ${HASH_BYTES} + 1 for ${HASH_BYTES})
      limit 1
    ) as known
    cross join lateral (select state from ledger where order_id = given.order_id limit 1) as l
    group by l.state
  `.execute(db);
  return new Map(rows.flatMap(({ state, positions }) => positions.map((position) => [position - 1, state] as const)));
}

interface ViewRow {
  order_id: string;
  event_id: string;
  state: LedgerState | null;
  source: string | null;
  fingerprint: Buffer | null;
  fingerprint_version: number | null;
  placed_event_id: string | null;
  handled: boolean;
  parked: boolean;
  content_hash: Buffer | null;
}

/**
 * What the ledger says about these events and their orders, in one query. `limit 1` keeps each look-up one probe of an
 * index whatever the planner believes of the table: it once read all of 100,000 rows for every chunk.
 */
export async function lookUp(db: Database, events: readonly EventKey[]): Promise<LedgerView> {
  if (events.length === 0) return { entries: new Map(), events: [] };
  const { rows } = await sql<ViewRow>`
    select given.order_id, given.event_id, l.state, l.source, l.fingerprint, l.fingerprint_version, l.placed_event_id,
      done.event_id is not null as handled, parked.event_id is not null as parked,
      coalesce(done.payload_hash, parked.payload_hash) as content_hash
    from unnest(${events.map((e) => e.orderId)}::text[], ${events.map((e) => e.eventId)}::text[])
      as given(order_id, event_id)
    left join lateral (select * from ledger where order_id = given.order_id limit 1) as l on true
    left join lateral (
      select * from ledger_events where order_id = given.order_id and event_id = given.event_id limit 1
    ) as done on true
    left join lateral (
      select * from parked_events where order_id = given.order_id and event_id = given.event_id limit 1
    ) as parked on true
    where l.order_id is not null or done.event_id is not null or parked.event_id is not null
  `.execute(db);
  const entries = new Map(rows.flatMap((row) => (row.state ? [[row.order_id, entryOf(row, row.state)]] : [])));
  const seen = rows.filter((row) => row.handled || row.parked);
  return {
    entries,
    events: seen.map((row) => ({
      orderId: row.order_id,
      eventId: row.event_id,
      contentHash: row.content_hash,
      handled: row.handled,
    })),
  };
}

function entryOf(row: ViewRow, state: LedgerState): LedgerEntry {
  return {
    orderId: row.order_id,
    state,
    source: row.source,
    fingerprint: row.fingerprint,
    fingerprintVersion: row.fingerprint_version,
    placedEventId: row.placed_event_id,
  };
}

/**
 * Claims the orders that nobody has claimed: inserts their rows, or takes over those that are only awaited. Returns the
 * order ids that are ours now; the others were claimed by someone else in the meantime. One statement, rows in key order.
 */
export async function claimOrders(tx: Database, claims: readonly Claim[]): Promise<Set<string>> {
  if (claims.length === 0) return new Set();
  const sorted = [...claims].sort((a, b) => byOrder(a.order, b.order));
  const column = <T>(of: (claim: Claim) => T): T[] => sorted.map(of);
  const { rows } = await sql<{ order_id: string }>`
    insert into ledger (order_id, state, source, fingerprint, fingerprint_version, placed_event_id, placed,
      record_value, record_topic, record_partition, record_offset, record_time, claimed_at)
    select o.order_id, ${ledgerState('claimed')}, o.source, o.fingerprint, ${FINGERPRINT_VERSION}, o.event_id, o.placed::jsonb,
      o.value, o.topic, o.partition, o.offset_, o.time, clock_timestamp()
    from unnest(${column((c) => c.order.orderId)}::text[], ${column((c) => c.order.source)}::text[],
      ${column((c) => c.fingerprint)}::bytea[], ${column((c) => c.eventId)}::text[],
      ${column((c) => JSON.stringify(c.order))}::text[], ${column((c) => c.record.value)}::bytea[],
      ${column((c) => c.record.topic)}::text[], ${column((c) => c.record.partition)}::int[],
      ${column((c) => c.record.offset)}::bigint[], ${column((c) => recordTime(c.record.time))}::timestamptz[]
    ) as o(order_id, source, fingerprint, event_id, placed, value, topic, partition, offset_, time)
    order by o.order_id collate "C"
    on conflict (order_id) do update set state = ${ledgerState('claimed')}, source = excluded.source,
      fingerprint = excluded.fingerprint, fingerprint_version = excluded.fingerprint_version,
      placed_event_id = excluded.placed_event_id, placed = excluded.placed, record_value = excluded.record_value,
      record_topic = excluded.record_topic, record_partition = excluded.record_partition,
      record_offset = excluded.record_offset, record_time = excluded.record_time, claimed_at = excluded.claimed_at
    where ledger.state = ${ledgerState('awaited')}
    returning order_id
  `.execute(tx);
  return new Set(rows.map((row) => row.order_id));
}

/** The states of these orders, read again; an id without a row is absent. */
export async function ledgerStates(db: Database, orderIds: readonly string[]): Promise<Map<string, LedgerState>> {
  if (orderIds.length === 0) return new Map();
  const { rows } = await sql<{ order_id: string; state: LedgerState }>`
    select order_id, state from ledger where order_id = any(${[...orderIds]}::text[])
  `.execute(db);
  return new Map(rows.map((row) => [row.order_id, row.state]));
}

/** Claimed orders become started. A row that is closed by now stays closed: a short order may end before its confirm. */
export async function markStarted(tx: Database, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return;
  await sql`
    update ledger set state = ${ledgerState('started')}, started_at = clock_timestamp()
    from (
      select order_id from ledger where order_id = any(${[...orderIds].sort()}::text[]) and state = ${ledgerState('claimed')}
      order by order_id for update
    ) as mine
    where ledger.order_id = mine.order_id
  `.execute(tx);
}

/** Writes down events that are done with. One that is known keeps its first outcome, and gets the hash it lacked. */
export async function recordEvents(tx: Database, events: readonly DoneEvent[]): Promise<void> {
  if (events.length === 0) return;
  const sorted = [...new Map(events.map((event) => [`${event.orderId}\n${event.eventId}`, event])).values()].sort(
    byOrder,
  );
  await sql`
    insert into ledger_events (order_id, event_id, type, outcome, payload_hash)
    select * from unnest(${sorted.map((e) => e.orderId)}::text[], ${sorted.map((e) => e.eventId)}::text[],
      ${sorted.map((e) => e.type)}::text[], ${sorted.map((e) => e.outcome)}::text[],
      ${sorted.map((e) => e.contentHash)}::bytea[]) as e(order_id, event_id, type, outcome, hash)
    order by e.order_id collate "C", e.event_id collate "C"
    on conflict (order_id, event_id) do update set payload_hash = excluded.payload_hash
      where ledger_events.payload_hash is null
  `.execute(tx);
}

/** Orders claimed at least `olderThanMs` ago whose start was never confirmed: their ingest died in between. */
export async function staleClaims(
  db: Database,
  olderThanMs: number,
  limit: number,
): Promise<Map<string, string | null>> {
  const { rows } = await sql<{ order_id: string; source: string | null }>`
    select order_id, source from ledger
    where state = ${ledgerState('claimed')} and claimed_at < clock_timestamp() - make_interval(secs => ${olderThanMs / 1_000})
    order by claimed_at limit ${limit}
  `.execute(db);
  return new Map(rows.map((row) => [row.order_id, row.source]));
}

/** How many orders are claimed or started and not closed; counts no further than `upTo`. */
export async function countOpenOrders(db: Database, upTo: number): Promise<number> {
  const { rows } = await sql<{ open: number }>`
    select count(*) as open from (select from ledger where state in (${ledgerState('claimed', 'started')}) limit ${upTo}) as counted
  `.execute(db);
  return rows[0]?.open ?? 0;
}

/** How many ledger rows are in each state but closed, of which there is no end. */
export async function countUnclosed(db: Database): Promise<Map<LedgerState, number>> {
  const { rows } = await sql<{ state: LedgerState; count: number }>`
    select state, count(*) as count from ledger where state <> ${ledgerState('closed')} group by state
  `.execute(db);
  return new Map(rows.map((row) => [row.state, row.count]));
}

/**
 * Lets go of an order whose run is gone for good, so that the next run may take it. Answers false when another run has
 * it, or it is closed: then there is nothing to recover.
 */
export async function releaseRun(db: Database, orderId: string, runId: string | null): Promise<boolean> {
  const { rows } = await sql`
    update ledger set run_id = null where order_id = ${orderId} and state = ${ledgerState('started')}
      and run_id is not distinct from ${runId} returning order_id
  `.execute(db);
  return rows.length > 0;
}
