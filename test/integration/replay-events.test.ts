import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { readParts } from '../../database/replays/replay-parts.ts';
import { readReplay } from '../../database/replays/replays.ts';
import { REPLAY_HEADER } from '../../kafka/headers.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { replayParts } from '../../operations/replay/parts.ts';
import { required } from '../../operations/replay/plan.ts';
import { createPace, createPressure } from '../../operations/replay/pressure.ts';
import { runEvents } from '../../operations/replay/run-events.ts';
import { ownTopic } from '../../operations/replay/target.ts';
import { openTrack } from '../../operations/replay/track.ts';
import { replayResources } from '../../resources/profiles.ts';
import { createOutboxWorld, firsts, logger } from '../helpers/outbox-world.ts';
import type { OutboxWorld, TopicRecord } from '../helpers/outbox-world.ts';
import { plan, run, runUntilProgress } from '../helpers/replays.ts';

let world: OutboxWorld;
beforeAll(async () => {
  world = await createOutboxWorld(['shipments', 'invoices', 'order-status']);
  for (const order of ['one', 'two', 'three']) {
    await world.append(order, ['order-status', 'shipments', 'invoices', 'order-status']);
  }
  await markSent();
  await world.append('four', ['shipments']);
});
afterAll(() => world.drop());

async function markSent(): Promise<void> {
  await sql`update outbox set sent_at = clock_timestamp() where sent_at is null`.execute(world.db);
}

const outbox = () => world.db.selectFrom('outbox').selectAll().orderBy('id').execute();

/** What a record must be: the outbox's row, with the mark. */
async function expectTold(records: readonly TopicRecord[], replayId: string): Promise<void> {
  const rows = new Map((await outbox()).map((row) => [row.event_id, row]));
  for (const { key, value, headers, timestamp } of records) {
    const row = rows.get(headers.ce_id ?? '');
    expect({ key, value: value.toString('hex'), headers, time: Number(timestamp) }).toEqual({
      key: row?.key,
      value: row?.value.toString('hex'),
      headers: { ...row?.headers, [REPLAY_HEADER]: replayId },
      time: row?.created_at.getTime(),
    });
  }
}

const versionsOf = (records: readonly TopicRecord[], order: string): number[] =>
  records
    .filter(({ key }) => key === order)
    .map(({ value }) => (JSON.parse(value.toString()) as { version: number }).version);

describe('events told again', () => {
  it('go to a topic of their own, the same bytes under the same id, in order, of statuses the newest', async () => {
    const { replayId, planned, options } = await plan(world.environment, { mode: 're-emit' });
    expect(planned?.tallies).toEqual({ shipments: 3, invoices: 3, 'order-status': 3, superseded: 3, unsent: 1 });
    expect(options.to).toBe(ownTopic(world.config.OMS_PREFIX, replayId));

    const { state, effects, tallies } = await run(world.environment, replayId);
    expect({ state, tallies }).toEqual({ state: 'finished', tallies: planned?.tallies });
    expect(effects).toEqual({ shipments: 3, invoices: 3, 'order-status': 3 });

    const told = await world.readAny(options.to ?? '');
    expect(told).toHaveLength(9);
    await expectTold(told, replayId);
    for (const order of ['one', 'two', 'three']) expect(versionsOf(told, order)).toEqual([2, 3, 4]);
    expect(await world.read('shipments')).toEqual([]);

    await run(world.environment, replayId);
    expect(await world.readAny(options.to ?? '')).toHaveLength(9);
  });

  it('go to the live topics only when told so, and never by name', async () => {
    const options = { orderIds: ['two'], types: ['Told'] };
    const to = `${world.config.OMS_PREFIX}shipments`;
    await expect(plan(world.environment, { mode: 're-emit', options: { ...options, to } })).rejects.toMatchObject({
      code: 'OMS_REPLAY_INVALID',
      fault: { field: 'to' },
    });
    const { replayId } = await plan(world.environment, { mode: 're-emit', live: true, options });
    expect((await run(world.environment, replayId)).effects).toEqual({ shipments: 1, invoices: 1, 'order-status': 1 });
    for (const topic of ['shipments', 'invoices', 'order-status'] as const) {
      const records = await world.read(topic);
      expect(records.map(({ key }) => key)).toEqual(['two']);
      await expectTold(records, replayId);
    }
  });

  it('go to no topic that is not there, which the plan says already', async () => {
    const planned = plan(world.environment, { mode: 're-emit', options: { to: 'nowhere', orderIds: ['one'] } });
    await expect(planned).rejects.toMatchObject({ code: 'OMS_KAFKA_TOPIC_MISSING' });
  });

  it('go on where they stood after a pause', async () => {
    const { replayId, options } = await plan(world.environment, {
      mode: 're-emit',
      options: { topics: ['invoices'], rate: 2 },
    });
    const pausing = new AbortController();
    const onProgress = (): void => pausing.abort(new Error('enough'));
    const paused = await run(world.environment, replayId, { signal: pausing.signal, onProgress });
    expect(paused).toMatchObject({ state: 'paused', effects: { invoices: 1 } });
    expect((await run(world.environment, replayId)).effects).toEqual({ invoices: 3 });
    expect((await world.readAny(options.to ?? '')).map(({ key }) => key).sort()).toEqual(['one', 'three', 'two']);
  });

  it('go on after a kill -9: nothing is missing, and what is told twice has the same id and bytes', async () => {
    const { replayId, planned, options } = await plan(world.environment, {
      mode: 're-emit',
      options: { topics: ['shipments', 'invoices', 'order-status'], rate: 4 },
    });
    const died = await runUntilProgress(world, replayId);
    expect(died).toMatchObject({ end: 'SIGKILL' });
    const before = await world.readAny(options.to ?? '');
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(9);

    const { state, tallies, effects } = await run(world.environment, replayId);
    expect({ state, tallies }).toEqual({ state: 'finished', tallies: planned?.tallies });
    expect(effects).toEqual({ shipments: 3, invoices: 3, 'order-status': 3 });
    const told = await world.readAny(options.to ?? '');
    // What the dead one had told stands there again.
    expect(told).toHaveLength(9 + before.length);
    await expectTold(told, replayId);
    for (const order of ['one', 'two', 'three']) expect(versionsOf(firsts(told), order)).toEqual([2, 3, 4]);
  });

  it('are cut by time and topic', async () => {
    const [first] = await outbox();
    const planned = async (options: object) => (await plan(world.environment, { mode: 're-emit', options })).planned;
    expect((await planned({ toTime: first?.created_at.getTime() }))?.tallies).toEqual({});
    expect((await planned({ topics: ['shipments'] }))?.tallies).toEqual({ shipments: 3, unsent: 1 });
  });
});

describe('a status that is overtaken while it is told again', () => {
  it('is followed by the newer one, so that the last on the live topic is the newest', async () => {
    await world.append('moving', ['order-status']);
    await markSent();
    const { replayId } = await plan(world.environment, {
      mode: 're-emit',
      live: true,
      options: { orderIds: ['moving'] },
    });
    const connection = { brokers: world.config.KAFKA_BROKERS, clientId: 'test', logger };
    const publisher = createPublisher({ connection });
    let moved = false;
    // The order moves, and its newer status goes out, between reading the older one and telling it again.
    const late: Publisher = {
      ...publisher,
      publish: async (records) => {
        if (!moved) {
          moved = true;
          await world.append('moving', ['order-status']);
          const newest = (await outbox()).at(-1);
          const [key, value] = [newest?.key ?? null, newest?.value ?? null];
          await publisher.publish([{ topic: `${world.config.OMS_PREFIX}order-status`, key, value, headers: {} }]);
          await markSent();
        }
        return publisher.publish(records);
      },
    };
    await using resources = replayResources(world.config, { logger });
    const parts = await replayParts(resources);
    const replay = required(await readReplay(world.db, replayId), replayId);
    const [pace, pressure, track] = [createPace(0), createPressure([]), await openTrack(world.db, replayId)];
    const nothing = { onWait: () => undefined, onProgress: () => undefined, signal: new AbortController().signal };
    await runEvents({ parts, replay, track, pace, pressure, ...nothing }, late);
    await publisher.close();
    const told = await world.read('order-status');
    expect(versionsOf(told, 'moving')).toEqual([2, 1, 2]);
    const [part] = await readParts(world.db, replayId);
    expect(part?.effects).toEqual({ 'order-status': 2 });
  });
});
