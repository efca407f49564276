import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { OUTGOING_TOPICS } from '../../kafka/topics.ts';
import { dropAuditTables } from '../../operations/audit/audit.ts';
import { readAuditedTopics } from '../../operations/audit/read.ts';
import { createSeenRecords } from '../../operations/audit/seen.ts';
import { topicChecks } from '../../operations/audit/topics.ts';
import { createOutboxWorld, logger } from '../helpers/outbox-world.ts';
import type { OutboxWorld } from '../helpers/outbox-world.ts';
import { startPublisher } from '../helpers/publishers.ts';
import { waitFor } from '../helpers/wait.ts';

const ORDERS = Array.from({ length: 40 }, (_, n) => `order-${n}`);
let world: OutboxWorld;
let topic: string;

/** Sends events of many orders, of which each later one is a minute older; sent so, they pass each other on the topic. */
beforeAll(async () => {
  world = await createOutboxWorld(OUTGOING_TOPICS);
  topic = `${world.config.OMS_PREFIX}shipments`;
  for (const id of ORDERS) await world.append(id, ['shipments']);
  await sql`update outbox set created_at = now() - interval '1 day' - id * interval '1 minute'`.execute(world.db);
  const publisher = await startPublisher(world);
  await waitFor('the outbox to be sent', async () => (await world.unsent()) === 0);
  await publisher.stop();
});
afterAll(() => world.drop());

/** Events the audit misses on their topics. */
async function missed(): Promise<string[]> {
  const { config, db, admin } = world;
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'test', logger });
  const codec = createCodec({ registry: createRegistry({ url: config.SCHEMA_REGISTRY_URL }), schemas: [] });
  return db.connection().execute(async (connection) => {
    const seen = await createSeenRecords(connection);
    const ignored = { onFound: () => undefined, onRecords: () => undefined };
    const options = { db, kafka, admin, codec, prefix: config.OMS_PREFIX, parts: ['topics' as const], letters: null };
    const read = await readAuditedTopics({ ...options, seen, ...ignored });
    const [missing] = topicChecks({ seen: seen.db, ...read });
    const found = (await missing?.([...ORDERS, 'lost', 'old'])) ?? [];
    await dropAuditTables(connection);
    return found.map(({ orderId }) => orderId ?? '');
  });
}

/** Says of an event that never was sent that it was. */
async function claimSent(orderId: string, age: string): Promise<void> {
  await world.append(orderId, ['shipments']);
  await sql`
    update outbox set sent_at = now(), created_at = now() - ${age}::interval where order_id = ${orderId}
  `.execute(world.db);
}

/** A broker tells of a new setting a moment after it has taken it. */
async function keepFor(ms: number): Promise<void> {
  const configEntries = [{ name: 'retention.ms', value: String(ms) }];
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  await world.admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] });
  await waitFor('the retention to be told', async () => {
    const asked = [{ type, name: topic, configNames: ['retention.ms'] }];
    const { resources } = await world.admin.describeConfigs({ resources: asked, includeSynonyms: false });
    return resources[0]?.configEntries[0]?.configValue === String(ms);
  });
}

describe('a topic that has forgotten records', () => {
  it('is not expected to hold what it may have forgotten, though its oldest record is older than that', async () => {
    // Of each partition the oldest record, behind newer ones, is the first that stays.
    const records = Map.groupBy(await world.read('shipments'), ({ partition }) => partition);
    const partitions = [...records].map(([partition, own]) => {
      const oldest = own.slice(1).toSorted((a, b) => Number(a.timestamp) - Number(b.timestamp))[0];
      return { partition, offset: oldest?.offset ?? '1' };
    });
    await world.admin.deleteTopicRecords({ topic, partitions });
    expect(await missed()).toEqual([]);
  });

  it('is expected to hold what is newer', async () => {
    await claimSent('lost', '1 hour');
    expect(await missed()).toEqual(['lost']);
  });

  it('is not expected to hold what is older than it keeps, whatever old event was told again', async () => {
    await claimSent('old', '3 hours');
    expect(await missed()).toEqual(['lost', 'old']);
    await keepFor(3 * 3_600_000);
    expect(await missed()).toEqual(['lost']);
  });
});
