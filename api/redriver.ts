import { requireTopics } from '../kafka/admin/topics-there.ts';
import { kafkaUnavailable } from '../kafka/client/errors.ts';
import type { Publisher } from '../kafka/producer/publisher.ts';
import type { Resources } from '../resources/resources.ts';

/** How dead letters' records are put back on their topics. */
export interface Redriver {
  /** @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING: before a decision is written down */
  assertTopic(topic: string): Promise<void>;
  openPublisher(): Promise<Publisher>;
}

/** Whoever asked waits for it. */
const PATIENCE_MS = 3_000;

/** Connects for each decision anew: they are rare, and the API holds no connection to write with otherwise. */
export function createRedriver(resources: Pick<Resources, 'kafkaConnection' | 'openPublisher'>): Redriver {
  const soon = { ...resources.kafkaConnection(), retries: 1, patienceMs: PATIENCE_MS };
  return {
    assertTopic: (topic) =>
      requireTopics(soon, [topic], 'Write').catch((cause: unknown) => {
        throw kafkaUnavailable('Kafka', cause);
      }),
    openPublisher: () => resources.openPublisher(),
  };
}
