import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { pino } from 'pino';
import { createEventEncoder } from '../../database/outbox/outbox.ts';
import type { EventEncoder } from '../../database/outbox/outbox.ts';
import type { OrderItem, PlacedOrder } from '../../domain/order.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { topicNames, topicSchemas } from '../../kafka/topics.ts';
import { setupSubjects } from '../../operations/setup/subjects.ts';
import { createTestDatabase } from './database.ts';
import type { WholeDatabase } from './database.ts';
import { testEnvironment } from './stack.ts';

export const silent = pino({ level: 'silent' });

/** An event as a reader of its topic sees it. */
export type ToldEvent = { topic: string; eventId: string; version: number; sequence: number } & Record<string, unknown>;

/** A database of orders and the encoder that writes their events, for one test file alone. */
export interface OrderWorld {
  db: WholeDatabase;
  url: string;
  prefix: string;
  encoder: EventEncoder;
  /** Puts an order into the ledger as ingest does, ready to be taken. */
  place(orderId: string, items: (Partial<OrderItem> & { sku: string })[], order?: Partial<PlacedOrder>): Promise<void>;
  stock(rows: { warehouse: string; sku: string; onHand: number }[]): Promise<void>;
  /** On hand and reserved of a SKU, by warehouse. */
  stockOf(sku: string): Promise<Record<string, { onHand: number; reserved: number }>>;
  /** The order's events in version order, decoded with our schemas. */
  told(orderId: string): Promise<ToldEvent[]>;
  drop: () => Promise<void>;
}

export async function createOrderWorld(): Promise<OrderWorld> {
  const { db, url, drop } = await createTestDatabase();
  const prefix = `t${randomUUID().slice(0, 8)}.`;
  const registryUrl = testEnvironment().SCHEMA_REGISTRY_URL;
  await setupSubjects(registryUrl, prefix, () => undefined);
  const codec = createCodec({ registry: createRegistry({ url: registryUrl }), schemas: topicSchemas(prefix) });
  await codec.load();
  const topics = topicNames(prefix);
  return {
    db,
    url,
    prefix,
    encoder: createEventEncoder({ codec, prefix }),
    place: (orderId, items, order) => place(db, orderId, items, order),
    stock: async (rows) => {
      const values = rows.map(({ warehouse, sku, onHand }) => ({ warehouse, sku, on_hand: onHand }));
      await db.insertInto('stock').values(values).execute();
    },
    stockOf: async (sku) => {
      const rows = await db.selectFrom('stock').selectAll().where('sku', '=', sku).orderBy('warehouse').execute();
      return Object.fromEntries(rows.map((row) => [row.warehouse, { onHand: row.on_hand, reserved: row.reserved }]));
    },
    told: async (orderId) => {
      const rows = await db
        .selectFrom('outbox')
        .selectAll()
        .where('order_id', '=', orderId)
        .orderBy('version')
        .execute();
      const decoded = rows.map(async ({ topic, value }) => {
        const [event] = await codec.decodeBatch(topics[topic as keyof typeof topics], [value]);
        if (event?.kind !== 'event') throw new Error(`an event on ${topic} does not decode`);
        return { topic, ...(event.value as object) } as ToldEvent;
      });
      return Promise.all(decoded);
    },
    drop,
  };
}

async function place(
  db: WholeDatabase,
  orderId: string,
  items: (Partial<OrderItem> & { sku: string })[],
  order: Partial<PlacedOrder> = {},
): Promise<void> {
  const lines = items.map((item) => ({ quantity: 1, unitPrice: 1_000, description: null, ...item }));
  const envelope = { orderId, customerId: 'customer-1', currency: 'GBP', shipTo: null, source: 'test' };
  const placed: PlacedOrder = { ...envelope, placedAt: Date.UTC(2026, 0, 1), ...order, items: lines };
  await sql`
    insert into ledger (order_id, state, source, placed_event_id, placed, claimed_at)
    values (${orderId}, 'claimed', 'test', ${`${orderId}-placed`}, ${JSON.stringify(placed)}::jsonb, now())
  `.execute(db);
}
