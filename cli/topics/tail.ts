import { DLQ_HEADERS } from '../../kafka/headers.ts';
import { tailTopics } from '../../operations/topics/tail.ts';
import type { ShownRecord } from '../../operations/topics/tail.ts';
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
  await using resources = commandResources(config);
  const [codec, kafka] = [await resources.codec(), await resources.kafka()];
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
  const { fromBeginning = false, follow, max, order } = flags;
  const request = { topics, fromBeginning, follow, max, order, signal: stopped.signal };
  try {
    const admin = await resources.connectedAdmin();
    await tailTopics({ kafka, admin, codec, prefix: config.OMS_PREFIX }, request, (record) =>
      print(flags.json ? JSON.stringify(record) : recordLine(record)),
    );
  } catch (error) {
    throw kafkaError(config, error);
  }
}

/** One line for people: where, when, whose, what. */
export function recordLine(record: ShownRecord): string {
  const { topic, partition, offset, key, time, headers, value, undecoded } = record;
  const reason = headers[DLQ_HEADERS.errorCode];
  const content = undecoded ? `(${undecoded.code}: ${undecoded.reason})` : JSON.stringify(value);
  return `${time} ${topic} ${partition}:${offset} ${key ?? '(no key)'} ${reason ? `${reason} ` : ''}${content}`;
}
