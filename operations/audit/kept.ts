import type { Admin } from 'kafkajs';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import { topicRetentions } from '../../temporal/retention.ts';
import type { KeptSince } from './topic-reading.ts';

/** Since when topics hold all that was sent to them. */
export interface KeptRecords {
  /** Told of the first record of each batch. */
  note(record: ConsumedRecord): void;
  since(): KeptSince;
}

/**
 * Records stand on a topic about in the order of their times, not exactly: events of different orders pass each other, and
 * clocks differ.
 */
const MARGIN_MS = 3_600_000;

/** Of a partition that has forgotten records, and whose oldest has not been read yet. */
const UNREAD = -1;

/**
 * Topics forget what is too old, a partition at a time. Where one has, only what is newer than the oldest record it still
 * holds can be expected to be there. That one may be an old event that was told again; so what is older than the topic
 * keeps is not expected, either.
 */
export async function startKept(
  admin: Admin,
  topics: readonly [string, TopicKind][],
  readAt: Date,
): Promise<KeptRecords> {
  const oldest = new Map<string, Map<number, number>>();
  for (const [topic] of topics) {
    const forgetful = (await logEnds(admin, topic)).filter(({ low }) => BigInt(low) > 0n);
    if (forgetful.length === 0) continue;
    const times = forgetful.map(({ partition, low, high }): [number, number] => [
      partition,
      low === high ? readAt.getTime() : UNREAD,
    ]);
    oldest.set(topic, new Map(times));
  }
  const kept = new Map(
    (oldest.size > 0 ? await topicRetentions(admin, [...oldest.keys()]) : []).flatMap(({ topic, retentionMs }) =>
      retentionMs === null ? [] : [[topic, readAt.getTime() - retentionMs]],
    ),
  );
  return {
    note: ({ topic, partition, timestamp }) => {
      const times = oldest.get(topic);
      if (times?.get(partition) === UNREAD) times.set(partition, timestamp);
    },
    since: () =>
      Object.fromEntries(
        topics.flatMap(([topic, kind]) => {
          const times = oldest.get(topic);
          return times ? [[kind, new Date(Math.max(kept.get(topic) ?? 0, ...times.values()) + MARGIN_MS)]] : [];
        }),
      ),
  };
}
