import type { Client } from '@temporalio/client';
import type { Database } from '../database/database.ts';
import type { EventEncoder } from '../database/outbox/outbox.ts';
import type { Codec } from '../kafka/codec/codec.ts';
import type { LagReader } from '../kafka/consumer/lag.ts';
import type { Config } from '../platform/config/settings.ts';
import type { Logger } from '../platform/logger.ts';
import type { Registry } from '../platform/metrics.ts';
import type { PaymentProvider } from '../providers/payment/port.ts';
import type { QueueReader } from '../temporal/queue-stats.ts';
import type { PostingDependencies } from './commands/posting.ts';
import type { Redriver } from './commands/redrive-once.ts';
import type { Feed } from './feed.ts';

/** What the routes work with. */
export interface ApiDependencies {
  config: Config;
  logger: Logger;
  metrics: Registry;
  db: Database;
  codec: Codec;
  encoder: EventEncoder;
  /** For commands: how records for input topics are written. */
  posting: PostingDependencies;
  payment: PaymentProvider;
  /** What Temporal says of the workers; it may be away. */
  queues: QueueReader;
  /** For what Temporal says of orders that wait; it may be away. */
  client: Client;
  /** For decisions about dead letters; Kafka may be away. */
  redriver: Redriver;
  /** Lag of our consumer groups; Kafka may be away. */
  lag: LagReader;
  feed: Feed;
}
