import type { IHeaders, KafkaMessage } from 'kafkajs';

/** A record as it lies on a topic. */
export interface ConsumedRecord {
  topic: string;
  partition: number;
  offset: bigint;
  key: Buffer | null;
  value: Buffer | null;
  /** ms since the epoch, as the producer or the broker set it */
  timestamp: number;
  headers: IHeaders;
}

/** Some consecutive records of one partition, given to the handler together. */
export interface Chunk {
  topic: string;
  partition: number;
  /** In offset order. After a pause only those that were not finished before. */
  records: readonly ConsumedRecord[];
  /** Tells that one record needs no more work, in any order. Counts as progress. */
  finished(offset: bigint): void;
  /**
   * Aborted when the loop stops or the group is rebalancing: start nothing new, let what runs finish, report it as
   * finished, and reject with `signal.reason` if something is left.
   */
  signal: AbortSignal;
}

export function toConsumedRecord(topic: string, partition: number, message: KafkaMessage): ConsumedRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key,
    value: message.value,
    timestamp: Number(message.timestamp),
    headers: message.headers ?? {},
  };
}
