import type { OmsError } from '../../domain/errors.ts';
import { createKafka } from '../client/client.ts';
import type { KafkaConnection } from '../client/client.ts';
import { createGate } from '../client/gate.ts';
import { KAFKA_DEFAULT_BATCH_BYTES } from '../topics.ts';
import { createDelivery } from './delivery.ts';
import { createProducerSlot } from './guarded-producer.ts';
import type { Compression } from './guarded-producer.ts';
import type { OutgoingRecord, PublishOutcome } from './outgoing-record.ts';
import { createPartitions } from './partitions.ts';
import { createSendQueue } from './send-queue.ts';

export type { OutgoingRecord, PublishOutcome } from './outgoing-record.ts';

export interface PublisherOptions {
  connection: KafkaConnection;
  /** @default none */
  compression?: Compression;
  /** The largest record batch a topic takes, in bytes. @default Kafka's own, 1,048,588 */
  maxBatchBytes?: (topic: string) => number;
  /** Records in one send at most. @default 1,000 */
  maxRecords?: number;
  /** A send that hangs for so long while the cluster answers otherwise is given up and split. @default 60 s */
  stallMs?: number;
  /** The same for a partition that failed before. @default 5 s */
  splitStallMs?: number;
  hooks?: PublisherHooks;
}

export interface PublisherHooks {
  onSent?: (event: { records: number; bytes: number; ms: number }) => void;
  /** A send was rejected or not confirmed in full; its producer is thrown away and the records are sent again. */
  onRejected?: (error: unknown, event: { records: number }) => void;
  onHeld?: (record: OutgoingRecord, error: OmsError) => void;
}

/** For /readyz and metrics. */
export interface PublisherHealth {
  connected: boolean;
  queued: number;
  inFlight: number;
  /** Age of the oldest unconfirmed record. */
  oldestMs: number;
  /** ms since the epoch; undefined before the first */
  lastConfirmedAt: number | undefined;
}

/**
 * The only way records leave this system. kafkajs loses acknowledged records when sends overlap or when a producer is
 * used on after a rejected send, and can call a send done that it did not write. So: one idempotent producer, one
 * send in flight, a send counts only when every partition of it is confirmed by name, and after anything else the
 * producer is thrown away and the same bytes are sent again, split until only the guilty record is held back.
 *
 * Promise: a record reported as sent is in the log. It may be there more than once; first occurrences are in the
 * order given, per partition.
 */
export interface Publisher {
  /** Connects, waiting for the cluster. `publish` does so by itself; this shows faults early. */
  connect(): Promise<void>;
  /**
   * Sends records, together with those of other calls. Waits while the cluster cannot be reached; resolves when each
   * record is either confirmed or held back. Never rejects for what may happen to a record.
   */
  publish<R extends OutgoingRecord>(records: readonly R[]): Promise<PublishOutcome<R>>;
  health(): PublisherHealth;
  /** Takes no more records, sends what is queued for at most `graceMs` (default 10 s), holds the rest back. */
  close(options?: { graceMs?: number }): Promise<void>;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const gate = createGate({ ...options.connection, retries: 3 });
  const admin = createKafka(gate.connection).admin();
  const slot = createProducerSlot({ connection: options.connection, compression: options.compression ?? 'none' });
  const partitions = createPartitions(admin);
  const aborted = new AbortController();
  const delivery = createDelivery({
    slot,
    partitions,
    stallMs: options.stallMs ?? 60_000,
    splitStallMs: options.splitStallMs ?? 5_000,
    aborted: aborted.signal,
    onSent: options.hooks?.onSent,
    onRejected: (error, event) => {
      options.connection.logger.warn({ err: error, ...event }, 'send rejected, sending again');
      options.hooks?.onRejected?.(error, event);
    },
  });
  const queue = createSendQueue({
    delivery,
    partitions,
    maxBatchBytes: options.maxBatchBytes ?? (() => KAFKA_DEFAULT_BATCH_BYTES),
    maxRecords: options.maxRecords ?? 1_000,
    aborted: aborted.signal,
    onHeld: options.hooks?.onHeld,
  });
  return {
    connect: async () => void (await slot.take()),
    publish: (records) => queue.add(records),
    health: () => ({ connected: slot.connected(), ...queue.health() }),
    close: async ({ graceMs = 10_000 } = {}) => {
      const abort = (): void => {
        aborted.abort(new Error('the publisher was closed'));
        gate.shut();
        void slot.end();
      };
      const timer = setTimeout(abort, graceMs);
      await queue.close();
      clearTimeout(timer);
      abort();
      await slot.end();
      await admin.disconnect().catch(() => undefined);
    },
  };
}
