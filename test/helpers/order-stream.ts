import { setTimeout as sleep } from 'node:timers/promises';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { Deployment } from './deployment.ts';
import { item, placed } from './order-events.ts';
import { silent } from './order-world.ts';
import { waitFor } from './wait.ts';

/** So many orders are on their way at any time. */
const UNDER_WAY = 10;
const SKU = 'STREAM-1';
const LOOK_EVERY_MS = 50;
const GOES_ON_MS = 3 * 60_000;

/** Orders that are placed one after the other on a topic of a deployment, as fast as others are closed. */
export interface OrderStream {
  /** Those whose record the cluster has confirmed. */
  confirmed: readonly string[];
  /** Waits until so many orders are closed that are placed from now on. */
  closedFromNow(count: number): Promise<void>;
  /** Places no more; resolves when the last one is confirmed. */
  end(): Promise<void>;
}

export async function createOrderStream(deployment: Deployment): Promise<OrderStream> {
  const { db, codec, topics, config } = deployment;
  await codec.load();
  await db.insertInto('stock').values({ warehouse: 'east', sku: SKU, on_hand: 100_000 }).execute();
  const connection = { brokers: config.KAFKA_BROKERS, clientId: 'test', logger: silent };
  const publisher = createPublisher({ connection });
  const confirmed: string[] = [];
  let isOver = false;
  const place = async (orderId: string): Promise<void> => {
    const value = codec.encode(topics.orders, placed(orderId, { items: [item(SKU)] }));
    const { held } = await publisher.publish([{ topic: topics.orders, key: orderId, value }]);
    if (held[0]) throw held[0].error;
    confirmed.push(orderId);
  };
  const open = async (ids: readonly string[]): Promise<number> => {
    if (ids.length === 0) return 0;
    const closed = db.selectFrom('ledger').select('order_id').where('state', '=', 'closed');
    return ids.length - (await closed.where('order_id', 'in', ids).execute()).length;
  };
  const run = async (): Promise<void> => {
    for (let n = 1; !isOver; n++) {
      await place(`stream-${n}`);
      while (!isOver && (await open(confirmed)) >= UNDER_WAY) await sleep(LOOK_EVERY_MS);
    }
  };
  const running = run();
  running.catch(() => undefined);
  return {
    confirmed,
    closedFromNow: async (count) => {
      const from = confirmed.length;
      const areClosed = async (): Promise<boolean> => {
        const ids = confirmed.slice(from, from + count);
        return ids.length === count && (await open(ids)) === 0;
      };
      await waitFor(`${count} more orders to be closed`, areClosed, GOES_ON_MS);
    },
    end: async () => {
      isOver = true;
      await running;
      await publisher.close();
    },
  };
}
