import { Partitioners } from 'kafkajs';
import type { Admin, PartitionMetadata } from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';
import { isTopicMissing, isTopicRefused, notAuthorized, topicMissing } from '../client/errors.ts';
import type { Item } from './outgoing-record.ts';

/**
 * Knows the partitions of topics and chooses one by key as Java's default partitioner does (murmur2). We choose
 * ourselves, because a send can only be checked for completeness when its partitions are known before.
 */
export interface Partitions {
  /** Loads what `choose` needs. Known topics are asked for again after `maxAgeMs`. */
  load(topics: Iterable<string>): Promise<Map<string, OmsError>>;
  /** The partition of a key. The topic must be loaded. */
  choose(topic: string, key: string | Buffer | null): number;
  /** Asks the cluster now. What was known stays when it cannot answer; the fault says why. */
  refresh(topic: string): Promise<OmsError | undefined>;
}

interface Known {
  partitions: PartitionMetadata[];
  until: number;
}

const MAX_AGE_MS = 5 * 60_000;
const ATTEMPTS = 3;

/** `admin` must be connected. */
export function createPartitions(admin: Pick<Admin, 'fetchTopicMetadata'>, maxAgeMs = MAX_AGE_MS): Partitions {
  const known = new Map<string, Known>();
  const byKey = Partitioners.DefaultPartitioner();
  const refresh = async (topic: string): Promise<OmsError | undefined> => {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
      if (partitions.length === 0) return topicMissing(topic);
      known.set(topic, { partitions, until: Date.now() + maxAgeMs });
      return undefined;
    } catch (error) {
      if (isTopicRefused(error)) return notAuthorized('Write', topic, error);
      return isTopicMissing(error) ? topicMissing(topic) : unreachable(topic, error);
    }
  };
  const loadOne = async (topic: string): Promise<OmsError | undefined> => {
    const entry = known.get(topic);
    if (entry && entry.until > Date.now()) return undefined;
    let fault = await refresh(topic);
    // kafkajs does not repeat a metadata request whose answer was lost.
    for (let n = 1; n < ATTEMPTS && !entry && fault?.code === 'OMS_KAFKA_UNAVAILABLE'; n++)
      fault = await refresh(topic);
    // An outage is no reason to hold records back: the partitions known so far are good enough until it ends.
    return entry && fault?.code === 'OMS_KAFKA_UNAVAILABLE' ? undefined : fault;
  };
  return {
    load: async (topics) => {
      const faults = new Map<string, OmsError>();
      for (const topic of new Set(topics)) {
        const fault = await loadOne(topic);
        if (fault) faults.set(topic, fault);
      }
      return faults;
    },
    refresh,
    choose: (topic, key) => {
      const partitionMetadata = known.get(topic)?.partitions;
      if (!partitionMetadata) throw new Error(`the partitions of ${topic} are not loaded`);
      return byKey({ topic, partitionMetadata, message: { key, value: null } });
    },
  };
}

function unreachable(topic: string, cause: unknown): OmsError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OmsError('OMS_KAFKA_UNAVAILABLE', `the partitions of ${topic} cannot be read: ${reason}`, { cause });
}

/** Where a record that was taken into a batch goes, as a map key. */
export function placeOf(item: Item): string {
  return partitionKey({ topic: item.record.topic, partition: item.partition });
}

/** `topic/partition`, as a map key. */
export function partitionKey(item: { topic: string; partition: number }): string {
  return `${item.topic}/${item.partition}`;
}
