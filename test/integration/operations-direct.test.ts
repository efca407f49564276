import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decisionsAbout } from '../../database/decisions.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { topicSchemas } from '../../kafka/topics.ts';
import { dropLetters, retryLetters } from '../../operations/dead-letters/decide.ts';
import { tailTopics } from '../../operations/topics/tail.ts';
import type { ShownRecord, TailRequest } from '../../operations/topics/tail.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { startIngest } from '../helpers/ingests.ts';
import type { IngestHere } from '../helpers/ingests.ts';
import { lettersOf, refusedLetter } from '../helpers/letters.ts';
import { silent } from '../helpers/order-world.ts';
import { waitFor } from '../helpers/wait.ts';

let world: IngestWorld;
let ingest: IngestHere;
let publisher: Publisher;
beforeAll(async () => {
  world = await createIngestWorld();
  ingest = await startIngest(world);
  publisher = createPublisher({ connection: connection() });
});
afterAll(async () => {
  await publisher.close();
  await ingest.stop();
  await world.drop();
});

const connection = () => ({
  ...{ brokers: (world.environment.KAFKA_BROKERS ?? '').split(','), clientId: 'test' },
  logger: silent,
});
const prefix = (): string => world.environment.OMS_PREFIX ?? '';
const by = { who: 'tester', why: 'the cause is mended' };
const refused = (id: string) => refusedLetter(world, id, { key: id, value: Buffer.from('no Avro') });

describe('dead letters, decided about by a caller without the command line', () => {
  const asserted: string[] = [];
  const retry = (ids: string[], order?: string) =>
    retryLetters(
      { db: world.db, publisher, prefix: prefix(), assertTopics: async (topics) => void asserted.push(...topics) },
      { ids, filter: { order, limit: 10 } },
      by,
    );

  it('are retried by a filter, and come back when they are refused again', async () => {
    const id = world.id('direct-retry');
    const letter = await refused(id);
    expect(await retry([], id)).toMatchObject([{ id: letter.id, outcome: 'produced', attempt: 1 }]);
    expect(asserted).toEqual([world.topics.orders]);
    await waitFor('the second letter', async () => (await lettersOf(world, id)).length === 2);
  });

  it('are skipped with the reason when they were decided about already', async () => {
    const id = world.id('direct-drop');
    const letter = await refused(id);
    const drop = () => dropLetters(world.db, prefix(), { ids: [letter.id], filter: { limit: 10 } }, by);
    expect(await drop()).toEqual([{ id: letter.id, outcome: 'dropped' }]);
    expect(await drop()).toMatchObject([{ id: letter.id, outcome: 'skipped', code: 'OMS_DLQ_DECIDED' }]);
    expect(await decisionsAbout(world.db, 'deadLetter', letter.id)).toMatchObject([{ action: 'drop', ...by }]);
  });

  it('are not decided about when neither ids nor a filter choose any', async () => {
    await expect(retry([])).rejects.toMatchObject({ code: 'OMS_CLI_USAGE' });
  });
});

describe('topics, read by a caller without the command line', () => {
  async function tail(more: Partial<TailRequest>): Promise<ShownRecord[]> {
    const schemas = topicSchemas(prefix());
    const codec = createCodec({
      registry: createRegistry({ url: world.environment.SCHEMA_REGISTRY_URL ?? '' }),
      schemas,
    });
    const shown: ShownRecord[] = [];
    const request = { topics: [world.topics.orders], fromBeginning: true, follow: false };
    await tailTopics(
      { kafka: createKafka(connection()), admin: world.admin, codec, prefix: prefix() },
      { ...request, ...more, signal: new AbortController().signal },
      (record) => shown.push(record),
    );
    return shown;
  }

  it('hand over as many records as are asked for, those of one order if told', async () => {
    const id = world.id('direct-tail');
    await refused(id);
    await refused(world.id('direct-tail-other'));
    expect(await tail({ order: id })).toMatchObject([
      { topic: world.topics.orders, key: id, undecoded: { reason: expect.any(String) } },
    ]);
    expect(await tail({ max: 1 })).toHaveLength(1);
  });
});
