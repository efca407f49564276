import avro from 'avsc';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import type { Message } from 'kafkajs';
import { FINGERPRINT_VERSION } from '../../domain/order.ts';
import { fingerprint, placedHash } from '../../orders/intake/order-event.ts';
import { orderEventSchema } from '../../schemas/index.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import type { World } from './world.ts';

const BATCH = 1_000;
const WAREHOUSES = { north: 'bench-north', south: 'bench-south' };

/** An order whose lines are held by different warehouses: with two of them it ships twice. */
function orderOf(orderId: string, lines = 2): OrderEvent {
  const line = (sku: string) => ({ sku, quantity: 1, unitPrice: 1_250, description: null });
  return {
    eventId: `placed-${orderId}`,
    orderId,
    occurredAt: 1_700_000_000_000,
    source: 'bench',
    sequence: null,
    payload: {
      'oms.OrderPlaced': {
        customerId: 'bench-customer',
        currency: 'GBP',
        items: Object.values(WAREHOUSES).slice(0, lines).map(line),
        shipTo: null,
      },
    },
  };
}

/** Each of the two SKUs in one warehouse only, and more of it than any bench needs. */
export async function seedStock(world: World): Promise<void> {
  for (const [warehouse, sku] of Object.entries(WAREHOUSES))
    await world.sql.query('insert into stock (warehouse, sku, on_hand) values ($1, $2, 1000000000)', [warehouse, sku]);
}

/** Puts orders onto the world's `orders`, as an upstream producer would. */
export async function produceOrders(world: World, orderIds: readonly string[], again: Again = {}): Promise<void> {
  const topic = `${world.prefix}orders`;
  const valueOf = await orderEncoder(world);
  const message = (id: string): Message => ({ key: id, value: valueOf(id, again) });
  const kafka = new Kafka({
    brokers: (world.environment.KAFKA_BROKERS ?? '').split(','),
    clientId: 'bench',
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  for (let i = 0; i < orderIds.length; i += BATCH) {
    const messages = orderIds.slice(i, i + BATCH).map(message);
    await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.None });
  }
  await producer.disconnect();
}

/** What differs from the bench's usual order: an upstream that sends other bytes for it once more, or has fewer lines. */
export interface Again {
  occurredAt?: number;
  /** @default 2 */
  lines?: number;
}

/** Orders as bytes for the world's `orders`. */
async function orderEncoder(world: World): Promise<(orderId: string, again?: Again) => Buffer> {
  const header = await wireHeader(world, `${world.prefix}orders-value`);
  const type = avro.Type.forSchema(orderEventSchema as unknown as avro.Schema);
  return (id, { lines, ...again } = {}) => Buffer.concat([header, type.toBuffer({ ...orderOf(id, lines), ...again })]);
}

/** The magic byte and the id the registry gave our schema. */
async function wireHeader(world: World, subject: string): Promise<Buffer> {
  const response = await fetch(`${world.environment.SCHEMA_REGISTRY_URL ?? ''}/subjects/${subject}/versions/latest`);
  const { id } = (await response.json()) as { id: number };
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return header;
}

/** Enters orders into the ledger as started, as an earlier ingest left them, without a workflow each. */
export async function enterAsKnown(world: World, orderIds: readonly string[]): Promise<void> {
  const valueOf = await orderEncoder(world);
  for (let i = 0; i < orderIds.length; i += BATCH * 10) {
    const ids = orderIds.slice(i, i + BATCH * 10);
    await world.sql.query(
      `insert into ledger (order_id, state, source, fingerprint, fingerprint_version, placed_event_id, started_at)
       select id, 'started', 'bench', fingerprint, $3, 'placed-' || id, now() from unnest($1::text[], $2::bytea[]) as known (id, fingerprint)`,
      [ids, ids.map(fingerprintOf), FINGERPRINT_VERSION],
    );
    await world.sql.query(
      `insert into ledger_events (order_id, event_id, type, outcome, payload_hash)
       select id, 'placed-' || id, 'OrderPlaced', 'started', hash from unnest($1::text[], $2::bytea[]) as known (id, hash)`,
      [ids, ids.map((id) => placedHash(valueOf(id)))],
    );
  }
}

function fingerprintOf(orderId: string): Buffer {
  const { source, occurredAt, payload } = orderOf(orderId);
  if (!('oms.OrderPlaced' in payload)) throw new TypeError('the bench places orders only');
  return fingerprint({ orderId, source, placedAt: occurredAt, ...payload['oms.OrderPlaced'] });
}
