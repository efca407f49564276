import { randomUUID } from 'node:crypto';
import { groupName, topicNames } from '../../kafka/topics.ts';
import { readTopics, recordLine, showRecords } from '../../operations/topics/describe-record.ts';
import type { TopicRecord } from '../../operations/topics/describe-record.ts';
import type { Config } from '../../platform/config/settings.ts';
import { kafkaError } from '../../resources/errors.ts';
import { commandResources } from '../../resources/profiles.ts';
import { print } from '../output.ts';

/** How much is shown. */
export interface TailFlags {
  json?: boolean;
  fromBeginning?: boolean;
  follow: boolean;
  max?: number;
  order?: string;
}

/** Prints the topics' records, decoded, until there are enough, the end is reached, or a signal comes. */
export async function tail(config: Config, topics: readonly string[], flags: TailFlags): Promise<void> {
  const names = topicNames(config.OMS_PREFIX);
  await using resources = commandResources(config);
  const [codec, kafka] = [await resources.codec(), await resources.kafka()];
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
  let left = flags.max ?? Infinity;
  const onRecords = async (records: readonly TopicRecord[]): Promise<boolean> => {
    const wanted = flags.order ? records.filter(({ key }) => key?.toString() === flags.order) : records;
    const shown = await showRecords(codec, names, wanted.slice(0, left));
    for (const record of shown) print(flags.json ? JSON.stringify(record) : recordLine(record));
    left -= shown.length;
    return left > 0;
  };
  const { fromBeginning = false, follow } = flags;
  const groupId = groupName(config.OMS_PREFIX, `tail-${randomUUID()}`);
  try {
    const admin = await resources.connectedAdmin();
    await readTopics({ kafka, admin, topics, groupId, fromBeginning, follow, signal: stopped.signal, onRecords });
  } catch (error) {
    throw kafkaError(config, error);
  }
}
