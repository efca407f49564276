import { randomUUID } from 'node:crypto';
import type { Database } from '../../database/database.ts';
import type { ReplayPart } from '../../database/replays/replay-parts.ts';
import type { ReplayOptions } from '../../database/replays/replays.ts';
import type { OmsError } from '../../domain/errors.ts';
import type { IsForeign } from '../../kafka/admin/deployment-mark.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { readRanges } from '../../kafka/reader/range-reader.ts';
import { groupName } from '../../kafka/topics.ts';
import type { IncomingEvent, PoisonMessage } from '../../orders/intake/order-event.ts';
import type { ReplayParts } from './parts.ts';
import { patiently } from './patience.ts';
import type { OnWait } from './patience.ts';

/** A record, and what it is. */
export interface Classified {
  record: ConsumedRecord;
  /** By the classes of its topic. */
  is: string;
  /** Where they could be read. */
  orderId: string | null;
  eventId: string | null;
  /** Why it is refused. */
  error: OmsError | undefined;
}

/** A chunk that was judged. */
export interface Judgement {
  records: Classified[];
  /** Of a dry run: keeps what the chunk would have changed. In one transaction with the run's progress, so that a crash leaves neither alone. */
  keep: (tx: Database) => Promise<void>;
}

/**
 * Tells what the records of a topic are, by the code that the topic's consumer decides with, and changes nothing. What a
 * real run would have changed is kept beside it, so that what stands on the topic twice is new once.
 */
export interface Classifier {
  /**
   * The part that may go on for several partitions at once. What it answers judges the chunk by those before it: to be
   * called one chunk after the other. @throws OmsError, retryable, when a part is away; so does the call
   */
  prepare(records: readonly ConsumedRecord[]): Promise<() => Promise<Judgement>>;
}

/** A record of the range that was not asked for. */
export function filtered(record: ConsumedRecord): Classified {
  return { record, is: 'filtered', orderId: null, eventId: null, error: undefined };
}

/** What a record is about, as far as that can be read. Poison has the order or the key it came with, and no type. */
interface RecordSubject {
  orderId: string | null;
  /** Shipment id or SKU. */
  key: string | null;
  type: string | null;
}

/** Which records of a range are meant. */
export interface RecordFilter {
  /** By what is known without decoding. */
  takesRecord(record: Pick<ConsumedRecord, 'timestamp'>): boolean;
  /** By what it says. */
  takes(subject: RecordSubject): boolean;
  /** The same of an order event. */
  takesEvent(
    event: Pick<IncomingEvent, 'kind' | 'orderId' | 'type'> | Pick<PoisonMessage, 'kind' | 'orderId'>,
  ): boolean;
}

type FilterOptions = Pick<ReplayOptions, 'fromTime' | 'toTime' | 'orderIds' | 'keys' | 'types'>;

export function createFilter({ fromTime, toTime, orderIds, keys, types }: FilterOptions): RecordFilter {
  const isIn = (chosen: readonly string[] | null | undefined): ((value: string | null) => boolean) => {
    const wanted = chosen && new Set(chosen);
    return (value) => !wanted || (value !== null && wanted.has(value));
  };
  const [isOrder, isKey, isType] = [isIn(orderIds), isIn(keys), isIn(types)];
  const takes: RecordFilter['takes'] = ({ orderId, key, type }) => isOrder(orderId) && isKey(key) && isType(type);
  return {
    takesRecord: ({ timestamp }) =>
      (fromTime === null || timestamp >= fromTime) && (toTime === null || timestamp < toTime),
    takes,
    takesEvent: (event) =>
      takes({ orderId: event.orderId, key: null, type: event.kind === 'poison' ? null : event.type }),
  };
}

/** What a classifier needs that keeps notes of a dry run. */
export interface NotingOptions {
  db: Database;
  codec: Codec;
  /** With prefix. */
  topic: string;
  filter: RecordFilter;
  /** The replay to keep notes for; undefined where the database itself will know, because what is judged is also done. */
  notesOf: string | undefined;
}

/** What is asked of records on topics of ours: also whose they are. */
export interface ToldOptions extends NotingOptions {
  isForeign: IsForeign;
}

interface ReadingOptions extends Pick<ReplayParts, 'config' | 'connection'> {
  replayId: string;
  /** With prefix. */
  topic: string;
  /** Read from `next` to `end`. */
  parts: readonly Pick<ReplayPart, 'partition' | 'next' | 'end'>[];
  classifier: Classifier;
  /** Takes what was judged, chunk after chunk: in offset order per partition, one at a time over all. */
  onJudged: (partition: number, chunk: Judgement, next: number) => Promise<void>;
  onWait: OnWait;
  signal: AbortSignal;
}

/**
 * Reads the ranges and classifies them. Partitions are decoded and looked up side by side; what they say is judged one
 * chunk after the other, because an order may stand in several of them.
 */
export async function readClassified(options: ReadingOptions): Promise<void> {
  const { classifier, signal, onWait } = options;
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  await readRanges({
    connection: options.connection,
    // Never committed to, and of this process alone: a reader that was killed keeps no partition from the next one.
    groupId: `${groupName(options.config.OMS_PREFIX, `replay-${options.replayId}`)}-${randomUUID().slice(0, 8)}`,
    topic: options.topic,
    ranges: options.parts.map(({ partition, next, end }) => ({ partition, next: BigInt(next), end: BigInt(end) })),
    onLost: (reason) => onWait(`Kafka: ${reason}`),
    signal,
    onRecords: async (records, next) => {
      const partition = records[0]?.partition;
      if (partition === undefined) return;
      const judge = await patiently(() => classifier.prepare(records), signal, onWait);
      await inTurn(async () => {
        if (signal.aborted) return;
        const chunk = await patiently(judge, signal, onWait);
        await options.onJudged(partition, chunk, Number(next));
      });
    },
  });
}
