import type { Database } from '../../database/database.ts';
import type { OmsError } from '../../domain/errors.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';

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
