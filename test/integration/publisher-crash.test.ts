import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { OutgoingTopic } from '../../database/outbox/outbox.ts';
import { createOutboxWorld, firsts, oneTo, sequencesByOrder } from '../helpers/outbox-world.ts';
import type { OutboxWorld, TopicRecord } from '../helpers/outbox-world.ts';
import { spawnPublisher } from '../helpers/publishers.ts';
import type { PublisherProcess } from '../helpers/publishers.ts';
import { waitFor } from '../helpers/wait.ts';

const TOPICS: OutgoingTopic[] = ['shipments', 'order-status'];
let world: OutboxWorld;
let processes: PublisherProcess[];

beforeEach(async () => {
  world = await createOutboxWorld(TOPICS);
  processes = [];
});
afterEach(async () => {
  await Promise.all(processes.map((process) => process.kill()));
  await world.drop();
});

function spawn(): PublisherProcess {
  const process = spawnPublisher(world);
  processes.push(process);
  return process;
}

const allSent = () => waitFor('the outbox to be sent', async () => (await world.unsent()) === 0);

/** Shards each publisher holds, most first. */
async function sharesHeld(): Promise<string> {
  const { rows } = await sql<{ shards: number }>`
    select count(*)::int as shards from pg_locks
    where locktype = 'advisory' and granted and objid < 256 and objsubid = 2
      and database = (select oid from pg_database where datname = current_database())
    group by pid order by 1 desc`.execute(world.db);
  return rows.map(({ shards }) => shards).join();
}

/** Whoever marks events as sent stands still until the gate opens: Kafka has them, the outbox does not know. */
async function stopMarking(): Promise<void> {
  await sql
    .raw(
      `
    create function stand_still() returns trigger language plpgsql as $$
      begin perform pg_sleep(3600); return new; end $$;
    create trigger stand_still before update on outbox for each statement execute function stand_still()`,
    )
    .execute(world.db);
}

async function allowMarking(): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where wait_event = 'PgSleep' and datname = current_database()`.execute(world.db);
  await sql`drop trigger stand_still on outbox`.execute(world.db);
}

const content = ({ key, value, headers, timestamp, partition }: TopicRecord) =>
  JSON.stringify({ key, value: value.toString('base64'), headers, timestamp, partition });

describe('publishers that die', () => {
  it('leave only identical repeats when killed between Kafka’s confirmation and the mark', async () => {
    const orders = Array.from({ length: 10 }, (_, i) => `order-${i}`);
    for (const orderId of orders) await world.append(orderId, [...TOPICS, ...TOPICS]);
    await stopMarking();
    const first = spawn();
    await waitFor('the events to be on the topic', async () => (await world.read('order-status')).length === 20);
    expect(await world.unsent()).toBe(40);
    await first.kill();
    await allowMarking();

    spawn();
    for (const orderId of orders) await world.append(orderId, TOPICS);
    await allSent();
    for (const topic of TOPICS) {
      const records = await world.read(topic);
      expect(records).toHaveLength(20 + 20 + 10);
      const copies = Map.groupBy(records, ({ headers }) => headers.ce_id);
      for (const same of copies.values()) expect(new Set(same.map(content)).size).toBe(1);
      for (const own of sequencesByOrder(firsts(records)).values()) expect(own).toEqual(oneTo(3));
    }
  });

  it('are replaced: two share the outbox, one is killed, the other takes over and nothing is lost', async () => {
    const orders = Array.from({ length: 40 }, (_, i) => `order-${i}`);
    let isOver = false;
    let rounds = 0;
    const feed = (async () => {
      for (; !isOver; rounds++) for (const orderId of orders) await world.append(orderId, TOPICS);
    })();
    const survivor = spawn();
    const victim = spawn();
    await waitFor('equal shares', async () => (await sharesHeld()) === '128,128');
    const before = rounds;
    await waitFor('both at work', () => rounds >= before + 2);
    await victim.kill();
    await waitFor('the take-over', async () => (await sharesHeld()) === '256');
    isOver = true;
    await feed;
    await allSent();
    for (const topic of TOPICS) {
      const sequences = sequencesByOrder(firsts(await world.read(topic)));
      expect(sequences.size).toBe(orders.length);
      for (const own of sequences.values()) expect(own).toEqual(oneTo(rounds));
    }
    expect(await survivor.stop()).toBe('0');
  });

  it('share what there is evenly, and take over from one that ends', async () => {
    const [one] = [spawn(), spawn(), spawn()];
    await waitFor('three shares', async () => (await sharesHeld()) === '86,86,84');
    expect(await one?.stop()).toBe('0');
    await waitFor('two shares', async () => (await sharesHeld()) === '128,128');
  });
});
