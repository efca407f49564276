import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { databaseError } from '../database/database.ts';
import type { Database } from '../database/database.ts';
import { writeAccounted } from '../database/deployment/deployment.ts';
import type { TopicOffsets } from '../database/deployment/deployment.ts';
import { logEnds, offsetsSince } from '../kafka/admin/log-ends.ts';
import type { LogEnds } from '../kafka/admin/log-ends.ts';
import { topicsThere } from '../kafka/admin/topics-there.ts';
import type { KafkaConnection } from '../kafka/client/client.ts';
import { committedOffsets } from '../kafka/consumer/lag.ts';
import type { Range } from '../kafka/reader/range-reader.ts';
import { OUTGOING_TOPICS, topicNames } from '../kafka/topics.ts';
import type { TopicKind } from '../kafka/topics.ts';
import type { Config } from '../platform/config/settings.ts';
import { kafkaError } from './errors.ts';

/** What comparing the topics with the database takes. */
export interface TopicParts {
  config: Config;
  db: Database;
  admin: Admin;
  connection: KafkaConnection;
}

/**
 * Transactions that were open when a backup was taken may have written their events so long before its newest ones: what
 * was told from then on is compared.
 */
const OPEN_TRANSACTIONS_MS = 60_000;
/** Records of each partition of `orders` that are looked at before the committed offset. */
const LAST_TAKEN = 20;

/** Names a fault after the part it comes from. */
export const named =
  ({ config }: TopicParts) =>
  (error: unknown): never => {
    throw error instanceof kafkajs.KafkaJSError ? kafkaError(config, error) : databaseError(error);
  };

/** What was told from shortly before `since` on, by partition; all that is kept where nothing is known. */
export async function toldSince(
  { admin, config }: TopicParts,
  kind: TopicKind,
  since: number | undefined,
): Promise<Range[]> {
  const topic = topicNames(config.OMS_PREFIX)[kind];
  const ends = await logEnds(admin, topic);
  if (since === undefined) return ends.map(rangeFrom(({ low }) => low));
  const starts = await offsetsSince(admin, topic, since - OPEN_TRANSACTIONS_MS);
  const startOf = new Map(starts.map(({ partition, offset }) => [partition, offset]));
  return ends.map(rangeFrom(({ partition, high }) => startOf.get(partition) ?? high));
}

const rangeFrom =
  (start: (ends: LogEnds) => string) =>
  (ends: LogEnds): Range => ({ partition: ends.partition, next: BigInt(start(ends)), end: BigInt(ends.high) });

/** The last records of each partition of `orders` that ingest has committed. */
export async function lastTaken({ admin, config }: TopicParts): Promise<Range[]> {
  const committed = await committedOffsets(admin, config.OMS_PREFIX);
  const ends = await logEnds(admin, topicNames(config.OMS_PREFIX).orders);
  return ends.map(({ partition, low, high }) => {
    const committedTo = committed.get(partition) ?? 0n;
    // Beyond the end it was committed on a topic that was made anew since.
    const end = committedTo > BigInt(high) ? 0n : committedTo;
    return { partition, next: greatest(end - BigInt(LAST_TAKEN), BigInt(low)), end };
  });
}

export const greatest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** From now on all that is on the topics counts as known, whatever the database says of it. */
export async function accountForTopics(parts: TopicParts): Promise<void> {
  await writeAccounted(parts.db, await topicEnds(parts));
}

/** What ingest has committed counts as dealt with: its group's offsets were set by hand, past records that nobody took. */
export async function accountForOrders(parts: TopicParts): Promise<void> {
  const { orders } = await topicEnds(parts);
  if (orders) await writeAccounted(parts.db, { orders });
}

/** Where what we have told ends now, and what ingest has committed. */
export function topicEnds(parts: TopicParts): Promise<TopicOffsets> {
  return readEnds(parts).catch(named(parts));
}

/** Of the topics that are compared, those that exist: before the first set-up none does. @throws OmsError OMS_KAFKA_NOT_AUTHORIZED */
export function ownTopicsThere({ admin, config }: TopicParts): Promise<Set<string>> {
  const names = topicNames(config.OMS_PREFIX);
  return topicsThere(
    admin,
    ['orders' as const, ...OUTGOING_TOPICS].map((kind) => names[kind]),
    'Read',
  );
}

async function readEnds(parts: TopicParts): Promise<TopicOffsets> {
  const { config } = parts;
  const topics = await ownTopicsThere(parts);
  const offsets: TopicOffsets = {};
  for (const kind of OUTGOING_TOPICS) {
    const topic = topicNames(config.OMS_PREFIX)[kind];
    if (topics.has(topic)) offsets[kind] = endsOf(await toldSince(parts, kind, undefined));
  }
  if (topics.has(topicNames(config.OMS_PREFIX).orders)) offsets.orders = endsOf(await lastTaken(parts));
  return offsets;
}

const endsOf = (ranges: readonly Range[]): Record<string, string> =>
  Object.fromEntries(ranges.map(({ partition, end }) => [partition, String(end)]));
