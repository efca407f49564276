import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '../client/client.ts';
import { readSession } from './range-session.ts';
import type { Range, RangeReaderOptions } from './range-types.ts';

export type { Range, RangeReaderOptions } from './range-types.ts';

const RESTART_WAIT_MS = 1_000;

/**
 * Reads frozen ranges of one topic (several topics, or what is still to come: `readTopics`), each record at least once and in offset order per partition, beside whoever else reads
 * it. Where records of a range are gone, or were never readable (aborted, or marks of transactions), it ends all the same.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING, OMS_REPLAY_TOPIC_CHANGED; what `onRecords` throws; what kafkajs refuses for good
 */
export async function readRanges(options: RangeReaderOptions): Promise<void> {
  const open = new Map(options.ranges.filter(isOpen).map((range) => [range.partition, { ...range }]));
  const admin = createKafka(options.connection).admin();
  if (open.size === 0 || options.signal?.aborted) return;
  await admin.connect();
  try {
    while (!options.signal?.aborted && (await readSession(options, open, admin)) === 'lost') {
      await sleep(RESTART_WAIT_MS);
    }
  } finally {
    await admin.deleteGroups([options.groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

const isOpen = ({ next, end }: Range): boolean => next < end;
