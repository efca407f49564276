import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { OutgoingRecord } from '../../kafka/producer/publisher.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import type { Deployment } from './deployment.ts';
import { cancelled, item, placed } from './order-events.ts';
import { silent } from './order-world.ts';
import { waitFor } from './wait.ts';

/** Settings with which orders stay booked until their carrier's news is told by the test. */
export const PATIENT = {
  OMS_TOPIC_PARTITIONS: '2',
  OMS_SIM_PAYMENT_LATENCY: '0 ms',
  OMS_SIM_CARRIER_LATENCY: '0 ms',
  OMS_SIM_CARRIER_PICKUP: '1 h',
} as const;

/** Orders on their way through a deployment whose roles run. */
export interface Flow {
  /** Puts a record on a topic as it is. */
  send(kind: TopicKind, record: Omit<OutgoingRecord, 'topic'>): Promise<void>;
  /** Places orders of one piece each, and waits until they are booked. */
  booked(...orderIds: string[]): Promise<void>;
  /** Tells that their shipments were delivered, and waits until they are closed. */
  delivered(...orderIds: string[]): Promise<void>;
  /** Cancels orders, and waits until they are closed. */
  cancelled(...orderIds: string[]): Promise<void>;
  /** Waits until every event is on its topic. */
  published(): Promise<void>;
  close(): Promise<void>;
}

export async function createFlow(deployment: Deployment): Promise<Flow> {
  const { db, codec, topics, config } = deployment;
  await codec.load();
  await db.insertInto('stock').values({ warehouse: 'east', sku: 'SKU-1', on_hand: 10_000 }).execute();
  const publisher = createPublisher({
    connection: { brokers: config.KAFKA_BROKERS, clientId: 'test', logger: silent },
  });
  const send: Flow['send'] = async (kind, record) => {
    const { held } = await publisher.publish([{ topic: topics[kind], ...record }]);
    if (held[0]) throw held[0].error;
  };
  const order = async (event: OrderEvent): Promise<void> =>
    send('orders', { key: event.orderId, value: codec.encode(topics.orders, event) });
  const untilCount = (what: string, wanted: number, count: () => Promise<unknown[]>): Promise<unknown> =>
    waitFor(what, async () => (await count()).length === wanted);
  const closed = (orderIds: string[]): Promise<unknown> =>
    untilCount(`${orderIds.join(', ')} to be closed`, orderIds.length, () =>
      db
        .selectFrom('ledger')
        .select('order_id')
        .where('order_id', 'in', orderIds)
        .where('state', '=', 'closed')
        .execute(),
    );
  return {
    send,
    booked: async (...orderIds) => {
      await Promise.all(orderIds.map((id) => order(placed(id, { items: [item()] }))));
      const booked = db.selectFrom('shipments').where('order_id', 'in', orderIds).where('status', '=', 'booked');
      await untilCount('orders to be booked', orderIds.length, () => booked.select('order_id').execute());
    },
    delivered: async (...orderIds) => {
      for (const id of orderIds) {
        const shipmentId = `${id}:1`;
        const update = { updateId: `${id}/d`, shipmentId, status: 'delivered', occurredAt: Date.UTC(2026, 0, 2) };
        const value = { ...update, carrier: null, trackingNumber: null, detail: null };
        await send('carrier-updates', { key: shipmentId, value: codec.encode(topics['carrier-updates'], value) });
      }
      await closed(orderIds);
    },
    cancelled: async (...orderIds) => {
      await Promise.all(orderIds.map((id) => order(cancelled(id))));
      await closed(orderIds);
    },
    published: async () => {
      await untilCount('all events to be published', 0, () =>
        db.selectFrom('outbox').select('event_id').where('sent_at', 'is', null).execute(),
      );
    },
    close: () => publisher.close(),
  };
}
