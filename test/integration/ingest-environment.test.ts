import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { spawnIngest, startIngest } from '../helpers/ingests.ts';
import type { IngestHere } from '../helpers/ingests.ts';
import { cancelled, placed } from '../helpers/order-events.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { createTcpSwitch } from '../helpers/tcp-switch.ts';
import type { TcpSwitch } from '../helpers/tcp-switch.ts';
import { waitFor } from '../helpers/wait.ts';

let world: IngestWorld;
let cleanUps: (() => Promise<unknown>)[];

beforeEach(() => {
  cleanUps = [];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

async function makeWorld(options: Parameters<typeof createIngestWorld>[0] = {}): Promise<void> {
  world = await createIngestWorld(options);
  cleanUps.push(() => world.drop());
}

async function start(settings: Record<string, string> = {}): Promise<IngestHere> {
  const ingest = await startIngest(world, { settings });
  cleanUps.push(() => ingest.stop());
  return ingest;
}

async function switchFor(target: string): Promise<TcpSwitch> {
  const way = await createTcpSwitch(target);
  cleanUps.push(() => way.close());
  return way;
}

const readiness = async (ingest: IngestHere, check: string): Promise<string | null> =>
  (await ingest.ready[check]?.()) ?? null;
const unready = (ingest: IngestHere, check: string) =>
  waitFor(`${check} to be reported`, () => readiness(ingest, check));
const says = (ingest: IngestHere, check: string, reason: RegExp) =>
  waitFor(`${check} to say ${reason}`, async () => reason.test((await readiness(ingest, check)) ?? ''));
const ready = (ingest: IngestHere, check: string) =>
  waitFor(`${check} to be fine`, async () => (await readiness(ingest, check)) === null);

describe('while Temporal is away', () => {
  it('nothing is committed, skipped or dead-lettered; it goes on when Temporal is back', async () => {
    await makeWorld();
    const way = await switchFor(testEnvironment().TEMPORAL_ADDRESS);
    const ingest = await start({ TEMPORAL_ADDRESS: way.address });
    await world.produce(placed(world.id('before')));
    await world.untilRead();
    way.cut();
    await world.produce(placed(world.id('during')), { key: 'poison', value: Buffer.from('no Avro') });
    expect(await unready(ingest, 'temporal')).toMatch(/Temporal/);
    expect(await unready(ingest, 'progress')).toMatch(/OMS_TEMPORAL_UNAVAILABLE/);
    expect(await world.committed()).toBe(1);
    expect(await ingest.live.progress?.()).toBeNull();
    way.heal();
    await world.untilRead();
    await ready(ingest, 'progress');
    expect(await world.run(world.id('during'))).toBeDefined();
    expect((await world.deadLetters()).map(({ headers }) => headers['oms-dlq-error-code'])).toEqual([
      'OMS_INGEST_NOT_AVRO',
    ]);
    expect(ingest.failures).toEqual([]);
  });

  it('SIGTERM ends the process in good time, and nothing unfinished is committed', async () => {
    await makeWorld();
    const way = await switchFor(testEnvironment().TEMPORAL_ADDRESS);
    const ingest = spawnIngest(world, { settings: { TEMPORAL_ADDRESS: way.address, OMS_SHUTDOWN_GRACE: '60 s' } });
    await world.produce(placed(world.id('one')));
    await world.untilRead();
    way.cut();
    await world.produce(placed(world.id('two')), placed(world.id('three')));
    await waitFor('the claim', async () => (await world.ledger(world.id('two')))?.state === 'claimed');
    expect(await ingest.stop()).toBe('0');
    expect(await world.committed()).toBe(1);
    await start();
    await world.untilRead();
    expect(await world.ledger(world.id('three'))).toMatchObject({ state: 'started' });
  });
});

describe('a start whose answer is lost', () => {
  it('is one workflow all the same', async () => {
    await makeWorld();
    const way = await switchFor(testEnvironment().TEMPORAL_ADDRESS);
    await start({ TEMPORAL_ADDRESS: way.address });
    await world.produce(placed(world.id('before')));
    await world.untilRead();
    way.mute();
    await world.produce(cancelled(world.id('lost')), placed(world.id('lost')));
    await waitFor('the run to be there', () => world.run(world.id('lost')));
    expect(await world.ledger(world.id('lost'))).toMatchObject({ state: 'claimed' });
    way.heal();
    await world.untilRead();
    const run = await world.run(world.id('lost'));
    expect(run?.input.parked).toHaveLength(1);
    expect(await world.ledger(world.id('lost'))).toMatchObject({ state: 'started' });
  });
});

describe('while PostgreSQL is away', () => {
  it('nothing is committed; it goes on when it is back', async () => {
    await makeWorld();
    const url = new URL(world.environment.DATABASE_URL ?? '');
    const way = await switchFor(url.host);
    url.host = way.address;
    const ingest = await start({ DATABASE_URL: url.href });
    await world.produce(placed(world.id('before')));
    await world.untilRead();
    way.cut();
    await world.produce(placed(world.id('during')));
    expect(await unready(ingest, 'database')).not.toBe('');
    expect(await unready(ingest, 'progress')).toMatch(/OMS_DATABASE_UNAVAILABLE/);
    expect(await world.committed()).toBe(1);
    way.heal();
    await world.untilRead();
    expect(await world.ledger(world.id('during'))).toMatchObject({ state: 'started' });
    expect(ingest.failures).toEqual([]);
  });
});

describe('while the registry is away', () => {
  it('schemas seen before are read on; one not seen makes it wait, and is no dead letter', async () => {
    await makeWorld();
    const url = new URL(testEnvironment().SCHEMA_REGISTRY_URL);
    const way = await switchFor(url.host);
    url.host = way.address;
    const ingest = await start({ SCHEMA_REGISTRY_URL: url.href });
    await world.produce(placed(world.id('before')));
    await world.untilRead();
    way.cut();
    await world.produce(placed(world.id('known')));
    await world.untilRead();
    expect(await unready(ingest, 'registry')).toMatch(/registry/);
    const unknown = Buffer.from(world.encode(placed(world.id('unknown'))));
    unknown.writeUInt32BE(876_543_210, 1);
    await world.produce({ key: world.id('unknown'), value: unknown });
    expect(await unready(ingest, 'progress')).toMatch(/OMS_REGISTRY_UNAVAILABLE/);
    expect(await world.committed()).toBe(2);
    expect(await world.deadLetters()).toEqual([]);
    way.heal();
    await world.untilRead();
    expect((await world.deadLetters()).map(({ headers }) => headers['oms-dlq-error-code'])).toEqual([
      'OMS_INGEST_SCHEMA_UNKNOWN',
    ]);
  });
});

describe('without a dead letter topic', () => {
  it('a poison message holds its partition back, and is sent when the topic is there again', async () => {
    await makeWorld();
    const ingest = await start();
    await world.produce(placed(world.id('good')));
    await world.untilRead();
    await world.admin.deleteTopics({ topics: [world.topics['orders.dlq']] });
    await world.produce({ key: 'poison', value: Buffer.from('no Avro') }, placed(world.id('next')));
    expect(await unready(ingest, 'progress')).toMatch(/OMS_KAFKA_/);
    expect(await world.committed()).toBe(1);
    await world.createTopic(world.topics['orders.dlq']);
    await world.untilRead();
    expect(await world.deadLetters()).toHaveLength(1);
    expect(await world.ledger(world.id('next'))).toMatchObject({ state: 'started' });
    expect(ingest.failures).toEqual([]);
  });

  it('it does not begin at all', async () => {
    await makeWorld({ withoutDeadLetters: true });
    const ingest = await start();
    await world.produce(placed(world.id('good')));
    await says(ingest, 'start', /kafka: .*orders\.dlq does not exist/);
    await world.createTopic(world.topics['orders.dlq']);
    await world.untilRead();
    expect(await world.ledger(world.id('good'))).toMatchObject({ state: 'started' });
  });
});

describe('at its start', () => {
  it('it says what it waits for, and begins when that is there', async () => {
    await makeWorld();
    const url = new URL(world.environment.DATABASE_URL ?? '');
    const way = await switchFor(url.host);
    way.cut();
    url.host = way.address;
    const ingest = await start({ DATABASE_URL: url.href });
    await world.produce(placed(world.id('first')));
    await says(ingest, 'start', /database: /);
    way.heal();
    await world.untilRead();
    expect(await readiness(ingest, 'start')).toBeNull();
    expect(ingest.failures).toEqual([]);
  });

  it('it can be stopped while it waits', async () => {
    await makeWorld();
    const nowhere = await switchFor('127.0.0.1:9');
    nowhere.cut();
    const ingest = spawnIngest(world, { settings: { TEMPORAL_ADDRESS: nowhere.address } });
    await waitFor('it to wait', () => ingest.log().includes('waiting for a dependency'));
    expect(await ingest.stop()).toBe('0');
  });
});

describe('a fault of its own', () => {
  it('ends the process with what was finished committed, and nothing skipped', async () => {
    await makeWorld();
    let broken = false;
    const onStep = (step: string): void => {
      if (broken && step === 'claimed') throw new TypeError('a bug');
    };
    const ingest = await startIngest(world, { onStep });
    cleanUps.push(() => ingest.stop());
    await world.produce(placed(world.id('fine')));
    await world.untilRead();
    broken = true;
    await world.produce(placed(world.id('next')));
    await waitFor('the role to fail', () => ingest.failures.length > 0);
    expect(await ingest.live.progress?.()).toMatch(/crashed/);
    expect(await unready(ingest, 'kafka')).toMatch(/crashed/);
    expect(await world.committed()).toBe(1);
  });
});

describe('with a limit of open orders', () => {
  it('it takes no more while more are open, and goes on when they close', async () => {
    await makeWorld();
    const ingest = await start({ OMS_INGEST_OPEN_ORDERS_LIMIT: '1' });
    await world.produce(placed(world.id('a')), placed(world.id('b')));
    await world.untilRead();
    await world.produce(placed(world.id('c')));
    expect(await unready(ingest, 'progress')).toMatch(/more than 1 orders are open/);
    expect(await world.ledger(world.id('c'))).toBeUndefined();
    await world.db.updateTable('ledger').set({ state: 'closed' }).execute();
    await world.untilRead();
    expect(await world.ledger(world.id('c'))).toMatchObject({ state: 'started' });
  });
});
