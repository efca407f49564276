import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../platform/logger.ts';
import type { KafkaConnection } from '../client/client.ts';
import { isNotAuthorized } from '../client/not-authorized.ts';
import { createGuardedProducer } from './guarded-producer.ts';
import type { Compression, GuardedProducer } from './guarded-producer.ts';

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
