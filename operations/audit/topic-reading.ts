import type { TopicKind } from '../../kafka/topics.ts';

/** From which time on each topic still holds all that was sent to it; undefined = from the first record. */
export type KeptSince = Readonly<Partial<Record<TopicKind, Date>>>;

/** What reading the topics once told. */
export interface TopicReading {
  /** Database time before their ends were asked for: what was sent earlier must have been seen. */
  readAt: Date;
  keptSince: KeptSince;
}
