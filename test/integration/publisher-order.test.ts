import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { OutgoingTopic } from '../../database/outbox/outbox.ts';
import { createOutboxWorld, oneTo, sequencesByOrder } from '../helpers/outbox-world.ts';
import type { OutboxWorld } from '../helpers/outbox-world.ts';
import { startPublisher } from '../helpers/publishers.ts';
import { waitFor } from '../helpers/wait.ts';

const TOPICS: OutgoingTopic[] = ['shipments', 'order-status'];
const MB = 1_024 * 1_024;
let world: OutboxWorld;
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  world = await createOutboxWorld(TOPICS);
  stops = [];
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await world.drop();
});

async function start(settings: Record<string, string> = {}) {
  const role = await startPublisher(world, settings);
  stops.push(() => role.stop());
  return role;
}

const allSent = () => waitFor('the outbox to be sent', async () => (await world.unsent()) === 0);
const sentVersions = async (orderId: string): Promise<number[]> => {
  const rows = world.db.selectFrom('outbox').select('version').where('order_id', '=', orderId);
  return (await rows.where('sent_at', 'is not', null).orderBy('version').execute()).map(({ version }) =>
    Number(version),
  );
};

describe('the publisher', () => {
  it('puts the events of each order on each topic in order, without a gap and once, while more keep coming', async () => {
    await start({ OMS_OUTBOX_BATCH: '7' });
    const orders = Array.from({ length: 20 }, (_, i) => `order-${i}`);
    const rounds = 10;
    await Promise.all(
      orders.map(async (orderId) => {
        for (let i = 0; i < rounds; i++) await world.append(orderId, TOPICS);
      }),
    );
    await allSent();
    for (const topic of TOPICS) {
      const sequences = sequencesByOrder(await world.read(topic));
      expect([...sequences.keys()].sort()).toEqual([...orders].sort());
      for (const own of sequences.values()) expect(own).toEqual(oneTo(rounds));
    }
  });

  it('sends key, bytes, headers and time just as the outbox holds them', async () => {
    await world.append('order-1', ['shipments', 'shipments']);
    await start();
    await allSent();
    const rows = await world.db.selectFrom('outbox').selectAll().orderBy('id').execute();
    const records = await world.read('shipments');
    expect(records.map(({ key, value, headers, timestamp }) => ({ key, value, headers, timestamp }))).toEqual(
      rows.map(({ key, value, headers, created_at }) => ({
        key,
        value,
        headers,
        timestamp: String(created_at.getTime()),
      })),
    );
  });

  it('holds back only the order whose event is too large, and says why', async () => {
    await world.append('large', ['shipments']);
    await world.append('large', ['shipments'], 3 * MB);
    await world.append('large', ['order-status']);
    for (let i = 0; i < 3; i++) await world.append('small', TOPICS);
    const role = await start();
    await waitFor('the other order', async () => (await sentVersions('small')).length === 6);
    const held = await waitFor('a reason', () =>
      world.db
        .selectFrom('outbox')
        .select(['version', 'held_reason'])
        .where('held_reason', 'is not', null)
        .execute()
        .then((rows) => rows[0]),
    );
    expect(held).toEqual({ version: 2, held_reason: expect.stringContaining('OMS_KAFKA_RECORD_TOO_LARGE') });
    expect(await sentVersions('large')).toEqual([1]);
    const metrics = await role.metrics.metrics();
    expect(metrics).toMatch(/oms_outbox_unsent\{[^}]*\} 2/);
    expect(metrics).toMatch(/oms_outbox_held\{[^}]*\} 1/);
    expect(metrics).toMatch(/oms_outbox_held_total\{code="OMS_KAFKA_RECORD_TOO_LARGE"/);
    // New orders flow past it.
    await world.append('later', TOPICS);
    await waitFor('a later order', async () => (await sentVersions('later')).length === 2);
  });

  it('sends what it held back as soon as the cause is gone, in order', async () => {
    for (let i = 0; i < 3; i++) await world.append('order-1', ['shipments', 'invoices', 'shipments']);
    await start();
    await waitFor('a reason', () =>
      world.db
        .selectFrom('outbox')
        .select('id')
        .where('held_reason', 'is not', null)
        .execute()
        .then((rows) => rows[0]),
    );
    expect(await sentVersions('order-1')).toEqual([1]);
    await world.createTopic('invoices');
    await allSent();
    expect(sequencesByOrder(await world.read('shipments')).get('order-1')).toEqual(oneTo(6));
    expect(sequencesByOrder(await world.read('invoices')).get('order-1')).toEqual(oneTo(3));
    const held = await world.db.selectFrom('outbox').select('id').where('held_reason', 'is not', null).execute();
    expect(held).toEqual([]);
  });

  it('goes on after the session that holds its shards was cut', async () => {
    const role = await start({ OMS_OUTBOX_POLL: '1 s' });
    await world.append('order-1', TOPICS);
    await allSent();
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'oms-publisher-locks' and datname = current_database()`.execute(world.db);
    await waitFor('the shards to be lost', () => role.ready.locks?.() !== null);
    await world.append('order-1', TOPICS);
    await allSent();
    expect(role.ready.locks?.()).toBeNull();
    expect(sequencesByOrder(await world.read('shipments')).get('order-1')).toEqual([1, 2]);
  });

  it('is ready when Kafka, database and shards are, and finishes what it sends when stopped', async () => {
    const role = await start();
    const ready = () => Promise.all(Object.values(role.ready).map(async (check) => check()));
    await waitFor('readiness', async () => (await ready()).every((reason) => reason === null));
    await world.append('order-1', TOPICS);
    await allSent();
    expect(await role.metrics.metrics()).toMatch(/oms_outbox_delay_seconds_count\{[^}]*\} 2/);
  });
});
