import type { OmsError } from '../../domain/errors.ts';
import type { Config } from '../../platform/config/settings.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { openTopicProducer } from './topic-producer.ts';

/** Where an event went. */
export interface Produced {
  eventId: string;
  orderId: string;
  topic: string;
  partition: number;
  offset: string;
}

export interface NotProduced {
  eventId: string;
  orderId: string;
  error: OmsError;
}

/** Puts order events on `orders` as an upstream system does: key = order id, so one order stays on one partition. */
export interface OrderProducer {
  /**
   * Resolves when each event is acknowledged or can never be sent.
   * @throws OmsError OMS_KAFKA_UNAVAILABLE when the cluster is away; what was acknowledged stays
   */
  produce(events: readonly OrderEvent[]): Promise<{ produced: Produced[]; refused: NotProduced[] }>;
  close(): Promise<void>;
}

/**
 * @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING, OMS_REGISTRY_UNAVAILABLE, OMS_REGISTRY_SCHEMA_MISSING
 */
export async function openOrderProducer(config: Config): Promise<OrderProducer> {
  const producer = await openTopicProducer<OrderEvent>(config, 'orders', ({ orderId }) => orderId);
  return {
    produce: async (events) => {
      const { produced, refused } = await producer.produce(events);
      return {
        produced: produced.map(({ value, position }) => ({ ...idsOf(value), ...position })),
        refused: refused.map(({ value, error }) => ({ ...idsOf(value), error })),
      };
    },
    close: () => producer.close(),
  };
}

const idsOf = ({ eventId, orderId }: OrderEvent) => ({ eventId, orderId });
