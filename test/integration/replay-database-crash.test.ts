import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { listReplays, readActions } from '../../database/replays/replays.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { topicNames, topicSchemas } from '../../kafka/topics.ts';
import { setupSubjects } from '../../operations/setup/subjects.ts';
import { silent } from '../helpers/order-world.ts';
import { startOwnPostgres } from '../helpers/own-postgres.ts';
import type { OwnPostgres } from '../helpers/own-postgres.ts';
import { plan, run } from '../helpers/replays.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { stockLevel } from '../helpers/stock-topic.ts';
import { createTopic } from '../helpers/topics.ts';
import { waitFor } from '../helpers/wait.ts';

/** More than are read at once, the second half of them repeats of the first. */
const LEVELS = 2_500;
const EXPECTED = { new: LEVELS, known: LEVELS };

let postgres: OwnPostgres;
let environment: Record<string, string>;
let dropTopic: () => Promise<void>;

beforeAll(async () => {
  postgres = await startOwnPostgres();
  await haltHalfWay();
  const prefix = `t${randomUUID().slice(0, 8)}.`;
  environment = { ...testEnvironment(), DATABASE_URL: postgres.url, OMS_PREFIX: prefix };
  const topic = topicNames(prefix)['stock-levels'];
  const registry = createRegistry({ url: testEnvironment().SCHEMA_REGISTRY_URL });
  const codec = createCodec({ registry, schemas: topicSchemas(prefix) });
  const brokers = testEnvironment().KAFKA_BROKERS.split(',');
  const kafka = createKafka({ brokers, clientId: 'test', logger: silent, retries: 10 });
  const [admin, producer] = [kafka.admin(), kafka.producer({ allowAutoTopicCreation: false })];
  await Promise.all([admin.connect(), producer.connect()]);
  await createTopic(admin, { topic, numPartitions: 1 });
  await setupSubjects(testEnvironment().SCHEMA_REGISTRY_URL, prefix, () => undefined);
  await codec.load([topic]);
  const levels = Array.from({ length: LEVELS }, (_, n) => stockLevel(`sku-${n}`));
  const messages = levels.map((level) => ({ key: level.sku, value: codec.encode(topic, level) }));
  await producer.send({ topic, messages });
  await producer.send({ topic, messages });
  await producer.disconnect();
  dropTopic = async () => {
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  };
});
afterAll(async () => {
  await dropTopic?.();
  await postgres?.stop();
});

const planned = async (): Promise<string> => {
  const replay = await plan(environment, { mode: 'validate', options: { from: 'stock-levels' } });
  expect(replay.planned?.tallies).toEqual(EXPECTED);
  return replay.replayId;
};
const actionsOf = async (replayId: string): Promise<string[]> =>
  (await readActions(postgres.db, replayId)).map(({ action }) => action);

/** In the third of five thousands. */
const HALF_WAY = 'sku-2400';
const LOCK = 1;

/** Whoever writes a note half-way waits for as long as the test holds a lock. */
const haltHalfWay = async (): Promise<void> => {
  await sql`create function halt() returns trigger language plpgsql as
    ${sql.lit(`begin perform pg_advisory_xact_lock(${LOCK}); return new; end`)}`.execute(postgres.db);
  await sql`create trigger halt before insert on replay_notes for each row
    when (new.subject = ${sql.lit(HALF_WAY)}) execute function halt()`.execute(postgres.db);
};

/** Does the work, with a crash once half of it is written down; the crash lets it go on. */
function crashingHalfWay<T>(work: () => Promise<T>): Promise<T> {
  return postgres.db.connection().execute(async (own) => {
    await sql`select pg_advisory_lock(${LOCK})`.execute(own);
    const working = work();
    await Promise.race([working, waitFor('the work to be half-way', isWaiting)]);
    await postgres.crash();
    return working;
  });
}

async function isWaiting(): Promise<boolean> {
  const { rows } = await sql`select from pg_locks where locktype = 'advisory' and not granted`.execute(postgres.db);
  return rows.length > 0;
}

describe('a validation whose database crashes, and forgets what it had noted', () => {
  it('begins again when it was paused meanwhile', async () => {
    const replayId = await planned();
    const pause = new AbortController();
    const half = await run(environment, replayId, {
      signal: pause.signal,
      onProgress: (parts) => {
        if (parts.some(({ from, next }) => next > from)) pause.abort();
      },
    });
    expect(half.state).toBe('paused');
    expect([half.done > 0, half.done < half.total]).toEqual([true, true]);
    await postgres.crash();
    expect(await run(environment, replayId)).toMatchObject({ state: 'finished', tallies: EXPECTED, effects: {} });
    expect(await actionsOf(replayId)).toEqual(['planned', 'run', 'paused', 'resumed', 'begun again', 'finished']);
  });

  it('begins again while it runs', async () => {
    const replayId = await planned();
    const result = await crashingHalfWay(() => run(environment, replayId));
    expect(result).toMatchObject({ state: 'finished', tallies: EXPECTED, effects: {} });
    expect(await actionsOf(replayId)).toContain('begun again');
  });

  it('goes on where it stands when nothing was forgotten', async () => {
    const replayId = await planned();
    const pause = new AbortController();
    await run(environment, replayId, { signal: pause.signal, onProgress: () => pause.abort() });
    expect(await run(environment, replayId)).toMatchObject({ state: 'finished', tallies: EXPECTED });
    expect(await actionsOf(replayId)).toEqual(['planned', 'run', 'paused', 'resumed', 'finished']);
  });
});

describe('a plan whose database crashes while it is made', () => {
  it('is called off, with the word to plan again', async () => {
    const asked = crashingHalfWay(() => plan(environment, { mode: 'validate', options: { from: 'stock-levels' } }));
    await expect(asked).rejects.toMatchObject({
      code: 'OMS_REPLAY_NOTES_LOST',
      message: expect.stringContaining('plan it again'),
    });
    expect((await listReplays(postgres.db, 1))[0]?.state).toBe('aborted');
  });
});
