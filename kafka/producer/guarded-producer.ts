import kafkajs, { CompressionTypes, Partitioners } from 'kafkajs';
import type { Message, Producer, RecordMetadata } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../platform/logger.ts';
import { createKafka, retryOptions } from '../client/client.ts';
import type { KafkaConnection } from '../client/client.ts';
import { isNotAuthorized } from '../client/errors.ts';
import { createGate } from '../client/gate.ts';
import type { Gate } from '../client/gate.ts';
import type { Item } from './outgoing-record.ts';
import { partitionKey } from './partitions.ts';

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** The first offset each partition of a send was given, by `topic/partition`. */
export type BaseOffsets = Map<string, bigint>;

/** Thrown when kafkajs calls a send done that did not reach every partition it was to reach. */
class IncompleteSendError extends Error {
  override readonly name = 'IncompleteSendError';
}

/** One idempotent producer for as long as every send of it is confirmed; after a rejected send it must be discarded. */
export interface GuardedProducer {
  /** Connects, waiting for the cluster as long as it takes. */
  connect(): Promise<void>;
  /**
   * One send, the only one in flight. Resolves when the cluster has confirmed every partition of it by name.
   * @throws whatever rejected it; some or all of the records may have been written nevertheless
   */
  send(items: readonly Item[]): Promise<BaseOffsets>;
  /** Cuts the connections, ends retries, and resolves when nothing of this producer is left. */
  discard(): Promise<void>;
}

function createGuardedProducer(options: { connection: KafkaConnection; compression: Compression }): GuardedProducer {
  const gate = createGate(options.connection);
  const producer = makeProducer(gate);
  /** Highest offset confirmed so far: an answer that is not above it repeats an older one. */
  const highest = new Map<string, bigint>();
  const running = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    const settled = work.then(noop, noop).then(() => void running.delete(settled));
    running.add(settled);
    return work;
  };
  return {
    connect: () => track(producer.connect()),
    send: async (items) => {
      const result = await track(
        producer.sendBatch({
          acks: -1,
          compression: COMPRESSION[options.compression],
          topicMessages: messagesOf(items),
        }),
      );
      return confirm(items, result, highest);
    },
    discard: async () => {
      gate.shut();
      await Promise.all(running);
      await producer.disconnect().catch(noop);
    },
  };
}

function makeProducer(gate: Gate): Producer {
  return createKafka(gate.connection).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    // Without limit: giving up after a lost answer would turn one outage into doubled records. The gate is the limit.
    retry: { ...retryOptions(), maxRetryTime: 2_000 },
    createPartitioner: () => {
      const byPartition = Partitioners.DefaultPartitioner();
      return (args) => {
        if (!gate.isOpen()) throw new kafkajs.KafkaJSNonRetriableError('this producer was discarded');
        return byPartition(args);
      };
    },
  });
}

function messagesOf(items: readonly Item[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { record, partition, timestamp } of items) {
    const messages = topics.get(record.topic) ?? [];
    topics.set(record.topic, messages);
    messages.push({ key: record.key, value: record.value, headers: record.headers ?? {}, partition, timestamp });
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** Checks a result against what was sent. kafkajs resolves sends that it did not write (see docs/decisions.md). */
function confirm(items: readonly Item[], result: RecordMetadata[], highest: Map<string, bigint>): BaseOffsets {
  const counts = new Map<string, number>();
  for (const { record, partition } of items) {
    const key = partitionKey({ topic: record.topic, partition });
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const answers = new Map(
    result.map((answer) => [partitionKey({ topic: answer.topicName, partition: answer.partition }), answer]),
  );
  const bases: BaseOffsets = new Map();
  for (const key of counts.keys()) bases.set(key, baseOffset(key, answers.get(key), highest.get(key)));
  for (const [key, base] of bases) highest.set(key, base + BigInt(counts.get(key) ?? 1) - 1n);
  return bases;
}

function baseOffset(key: string, answer: RecordMetadata | undefined, highest: bigint | undefined): bigint {
  if (!answer) throw new IncompleteSendError(`the send was called done without an answer for ${key}`);
  if (answer.errorCode !== 0) throw new IncompleteSendError(`${key} answered with error code ${answer.errorCode}`);
  const base = BigInt(answer.baseOffset ?? '-1');
  if (base < 0n || (highest !== undefined && base <= highest)) {
    throw new IncompleteSendError(`${key} answered with offset ${base}, which an earlier send holds already`);
  }
  return base;
}

const COMPRESSION = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const satisfies Record<Compression, CompressionTypes>;

function noop(): void {
  // Settled either way: whoever asked has the outcome.
}

/** Holds the one producer of a publisher and replaces it when it was discarded. */
export interface ProducerSlot {
  /** The connected producer, waiting for the cluster as long as it takes. @throws when the slot was ended, or may not write and waits for nothing */
  take(): Promise<GuardedProducer>;
  /** Throws the producer away; the next `take` makes a new one. */
  discard(): Promise<void>;
  connected(): boolean;
  /** Discards the producer and fails every wait for one. */
  end(): Promise<void>;
}

const MAX_WAIT_MS = 5_000;

export function createProducerSlot(options: { connection: KafkaConnection; compression: Compression }): ProducerSlot {
  const { logger, retries }: { logger: Logger; retries?: number } = options.connection;
  /** A role waits until it is given the right to write, as for anything else; a command says that it has none. */
  const givesUp = retries !== undefined;
  const ended = new AbortController();
  let producer: GuardedProducer | undefined;
  let isConnected = false;

  const discard = async (): Promise<void> => {
    const old = producer;
    producer = undefined;
    isConnected = false;
    await old?.discard();
  };
  const connect = async (): Promise<GuardedProducer> => {
    for (let wait = 100; ; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
      ended.signal.throwIfAborted();
      const fresh = (producer = createGuardedProducer(options));
      try {
        await fresh.connect();
        ended.signal.throwIfAborted();
        isConnected = true;
        return fresh;
      } catch (error) {
        await discard();
        ended.signal.throwIfAborted();
        if (givesUp && isNotAuthorized(error)) throw error;
        logger.warn({ err: error, retryInMs: wait }, 'producer cannot connect');
        await sleep(wait, undefined, { signal: ended.signal });
      }
    }
  };
  return {
    take: async () => (isConnected && producer ? producer : connect()),
    discard,
    connected: () => isConnected,
    end: async () => {
      ended.abort(new Error('the publisher was closed'));
      await discard();
    },
  };
}
