import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import type { Codec } from '../../kafka/codec/codec.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import { readTopics, showRecords } from './describe-record.ts';
import type { ShownRecord } from './describe-record.ts';

export interface TailParts {
  kafka: Kafka;
  /** Connected. */
  admin: Admin;
  codec: Codec;
  prefix: string;
}

export interface TailRequest {
  /** With prefix. */
  topics: readonly string[];
  /** Also what is there already. */
  fromBeginning: boolean;
  /** Go on past what is there now, until `signal`. */
  follow: boolean;
  /** End after so many records. @default all */
  max?: number;
  /** Only records with this key. */
  order?: string;
  signal: AbortSignal;
}

/**
 * Reads the topics and hands over their records, decoded, until there are enough, the end is reached, or it is stopped.
 * Nothing is committed: whoever reads these topics is not disturbed.
 */
export async function tailTopics(
  { kafka, admin, codec, prefix }: TailParts,
  { topics, fromBeginning, follow, max = Infinity, order, signal }: TailRequest,
  onRecord: (record: ShownRecord) => void,
): Promise<void> {
  let left = max;
  await readTopics({
    ...{ kafka, admin, topics, fromBeginning, follow, signal },
    groupId: groupName(prefix, `tail-${randomUUID()}`),
    onRecords: async (records) => {
      const wanted = order ? records.filter(({ key }) => key?.toString() === order) : records;
      const shown = await showRecords(codec, topicNames(prefix), wanted.slice(0, left));
      shown.forEach(onRecord);
      left -= shown.length;
      return left > 0;
    },
  });
}
