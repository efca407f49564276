import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { isReplayHeld } from '../../database/replays/replay-lock.ts';
import { readParts } from '../../database/replays/replay-parts.ts';
import { readActions } from '../../database/replays/replays.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { changeReplay } from '../../operations/replay/run.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { startIngest } from '../helpers/ingests.ts';
import { amended, cancelled, item, placed } from '../helpers/order-events.ts';
import { plan, run, runUntilKilled } from '../helpers/replays.ts';
import { waitFor } from '../helpers/wait.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const now = { occurredAt: Date.now() };

let world: IngestWorld;
beforeAll(async () => {
  world = await createIngestWorld({ partitions: 2 });
});
afterAll(() => world.drop());

async function workflows(prefix: string): Promise<number> {
  return (await world.client.workflow.count(`WorkflowId STARTS_WITH "${orderWorkflowId(world.id(prefix))}"`)).count;
}

type Table = 'ledger' | 'ledger_events' | 'parked_events' | 'dead_letters' | 'replay_drafts';
const TABLES: readonly Table[] = ['ledger', 'ledger_events', 'parked_events', 'dead_letters', 'replay_drafts'];

async function rows(table: Table) {
  return Number((await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(world.db)).rows[0]?.n);
}

const allRows = (): Promise<number[]> => Promise.all(TABLES.map(rows));

describe('a topic with every kind of record', () => {
  const EXPECTED = { new: 2, early: 2, unheard: 2, running: 3, done: 1, late: 1, conflicting: 1, stale: 1, poison: 2 };

  beforeAll(async () => {
    const id = (name: string): string => world.id(name);
    await world.produce(placed(id('running')), placed(id('closed')));
    const ingest = await startIngest(world);
    await world.untilRead();
    await ingest.stop();
    await sql`update ledger set state = 'closed', closed_at = now() where order_id = ${id('closed')}`.execute(world.db);
    // The database of another deployment, taken over a day from now: what is older only Temporal can know.
    const since = new Date(Date.now() + DAY_MS);
    await sql`insert into deployment (id, ledger_since) values (gen_random_uuid(), ${since})`.execute(world.db);

    const elsewhere = (event: ReturnType<typeof placed>) => ({
      key: event.orderId,
      value: world.encode(event),
      partition: 1,
    });
    await world.produce(
      placed(id('new-1'), {}, now),
      cancelled(id('new-1')),
      placed(id('new-1'), {}, now),
      cancelled(id('running')),
      cancelled(id('closed')),
      placed(id('running'), { items: [item('OTHER')] }, { eventId: 'other content' }),
      placed(id('old')),
      { key: id('bad'), value: Buffer.from('not Avro') },
      { key: 'another key', value: world.encode(placed(id('new-2'))) },
      cancelled(id('unknown')),
      cancelled(id('unknown')),
      elsewhere(placed(id('new-2'), {}, now)),
      elsewhere(placed(id('new-2'), {}, { ...now, eventId: 'sent once more' })),
    );
  });

  it('is planned without being touched: each record is what ingest would make of it', async () => {
    const before = await allRows();
    const { planned, state } = await plan(world.environment);

    expect(state).toBe('planned');
    expect(planned?.tallies).toEqual(EXPECTED);
    expect(planned?.records).toBe(15);
    expect(planned?.samples.new?.map(({ orderId }) => orderId).sort()).toEqual([world.id('new-1'), world.id('new-2')]);
    expect(planned?.samples.stale).toEqual([
      expect.objectContaining({ orderId: world.id('old'), code: 'OMS_INGEST_STALE' }),
    ]);
    expect(planned?.samples.poison?.map(({ code }) => code)).toEqual([
      'OMS_INGEST_NOT_AVRO',
      'OMS_INGEST_KEY_MISMATCH',
    ]);
    expect(await allRows()).toEqual(before);
    expect(await workflows('new')).toBe(0);
  });

  it('is run: only what is missing is started, the tallies are those of the plan, and a second run has no effect', async () => {
    const first = await plan(world.environment);
    const result = await run(world.environment, first.replayId);

    expect(result).toMatchObject({ state: 'finished', tallies: EXPECTED, done: 15, total: 15 });
    expect(result.effects).toEqual({ started: 2, told: 2, parked: 1, deadLettered: 5 });
    expect(await world.ledger(world.id('new-1'))).toEqual({ state: 'started', source: 'shop' });
    expect(await world.ledger(world.id('old'))).toBeUndefined();
    const told = await world.run(world.id('new-1'));
    expect(told?.signals).toEqual([`${world.id('new-1')}/cancelled`]);
    expect((await world.run(world.id('running')))?.signals).toEqual([`${world.id('running')}/cancelled`]);

    const before = await allRows();
    expect(await run(world.environment, first.replayId)).toEqual(result);
    const second = await plan(world.environment);
    const again = await run(world.environment, second.replayId);

    expect(again.effects).toEqual({});
    expect(again.tallies).toEqual({ early: 2, running: 7, done: 2, conflicting: 1, stale: 1, poison: 2 });
    expect(await allRows()).toEqual(before);
    await waitFor('both new orders to be listed', async () => (await workflows('new')) === 2);
  });
});

describe('a run that is killed', () => {
  const ORDERS = 240;

  it('goes on where it stood: nothing twice, nothing left out, and the totals are those of the plan', async () => {
    const ids = Array.from({ length: ORDERS }, (_, i) => world.id(`kill-${i}`));
    const records = ids.flatMap((id, i) => [
      { key: id, value: world.encode(placed(id, {}, now)), partition: i % 2 },
      ...(i % 8 === 0 ? [{ key: id, value: world.encode(cancelled(id)), partition: i % 2 }] : []),
      ...(i % 40 === 0 ? [{ key: id, value: Buffer.from(`bad ${i}`), partition: i % 2 }] : []),
    ]);
    await world.produce(...records);
    // Eighty effects at once.
    const { replayId, planned } = await plan(world.environment, { options: { orderIds: ids, rate: 160 } });
    expect(planned?.tallies).toMatchObject({ new: ORDERS, unheard: ORDERS / 8, poison: ORDERS / 40, filtered: 15 });

    for (const [step, times] of [
      ['finished', 1],
      ['claimed', 1],
      ['orderStarted', 50],
      ['deadLettersMarked', 1],
    ] as const) {
      expect(await runUntilKilled(world, replayId, step, times)).toMatchObject({ end: 'SIGKILL' });
    }
    const { tallies, effects, state } = await run(world.environment, replayId);

    expect({ tallies, state }).toEqual({ tallies: planned?.tallies, state: 'finished' });
    expect(effects).toEqual({ started: ORDERS, told: ORDERS / 8, deadLettered: ORDERS / 40 });
    await waitFor('all orders to be listed', async () => (await workflows('kill')) >= ORDERS);
    expect(await workflows('kill')).toBe(ORDERS);
    const cancels = await world.run(ids[8] ?? '');
    expect([...new Set([...(cancels?.signals ?? [])])]).toEqual([`${ids[8]}/cancelled`]);
    const actions = (await readActions(world.db, replayId)).map(({ action }) => action);
    expect(actions).toEqual([
      'planned',
      'run',
      ...Array<string>(4).fill('resumed after its process had died'),
      'finished',
    ]);
    expect((await readParts(world.db, replayId)).flatMap(({ pending }) => pending)).toEqual([]);
  });
});

describe('a run', () => {
  const produced = async (name: string, count: number): Promise<string[]> => {
    const ids = Array.from({ length: count }, (_, i) => world.id(`${name}-${i}`));
    await world.produce(...ids.map((id) => placed(id, {}, now)));
    return ids;
  };

  it('can be paused and goes on later; once aborted it never does', async () => {
    const orderIds = await produced('pause', 6);
    const { replayId } = await plan(world.environment, { options: { orderIds, rate: 2 } });
    const pausing = new AbortController();
    const paused = await run(world.environment, replayId, {
      signal: pausing.signal,
      onProgress: (parts) => parts.some(({ effects }) => effects.started) && pausing.abort(new Error('enough')),
    });
    expect(paused.state).toBe('paused');
    expect(paused.effects.started).toBeLessThan(6);

    await changeReplay(world, replayId, 'abort', 'tester');
    await expect(run(world.environment, replayId)).rejects.toMatchObject({ code: 'OMS_REPLAY_STATE' });

    const { replayId: second } = await plan(world.environment, { options: { orderIds } });
    await changeReplay(world, second, 'abort', 'tester');
    const { replayId: third } = await plan(world.environment, { options: { orderIds } });
    expect((await run(world.environment, third)).effects.started).toBe(6 - (paused.effects.started ?? 0));
  });

  it('is paused by another process, and one at a time', async () => {
    const orderIds = await produced('held', 20);
    const { replayId } = await plan(world.environment, { options: { orderIds, rate: 2 } });
    const running = run(world.environment, replayId);
    await waitFor('the first start', async () => (await world.ledger(orderIds[0] ?? ''))?.state === 'started');
    await expect(run(world.environment, replayId)).rejects.toMatchObject({ code: 'OMS_REPLAY_BUSY' });
    expect(await isReplayHeld(world.db, replayId)).toBe(true);
    await changeReplay(world, replayId, 'pause', 'tester');
    expect((await running).state).toBe('paused');
    expect(await isReplayHeld(world.db, replayId)).toBe(false);
  });

  it('waits while workflow tasks wait for a worker', async () => {
    const orderIds = await produced('pressed', 3);
    const { replayId } = await plan(world.environment, { options: { orderIds, maxBacklog: 1 } });
    const pausing = new AbortController();
    const { state, effects, waits } = await run(world.environment, replayId, {
      signal: pausing.signal,
      onWait: () => pausing.abort(new Error('seen enough')),
    });
    expect({ state, effects }).toEqual({ state: 'paused', effects: {} });
    expect(waits[0]).toMatch(/^\d+ workflow tasks wait for a worker, more than 1$/);
  });

  it('starts orders behind live ones', async () => {
    const [orderId = ''] = await produced('behind', 1);
    const { replayId } = await plan(world.environment, { options: { orderIds: [orderId] } });
    await run(world.environment, replayId);
    const { raw } = await world.client.workflow.getHandle(orderWorkflowId(orderId)).describe();
    expect(raw.workflowExecutionInfo?.priority?.priorityKey).toBe(5);
  });

  it('that validates changes nothing, and counts an order that stands twice once', async () => {
    const orderIds = await produced('valid', 3);
    await world.produce(placed(orderIds[0] ?? '', {}, { ...now, eventId: 'once more' }));
    const { replayId, planned } = await plan(world.environment, { mode: 'validate', options: { orderIds } });
    const before = await allRows();
    const { tallies, effects } = await run(world.environment, replayId);
    expect(tallies).toEqual(planned?.tallies);
    expect(tallies).toMatchObject({ new: 3, running: 1 });
    expect(effects).toEqual({});
    expect(await allRows()).toEqual(before);
  });

  it('takes what is stale only if it is told to', async () => {
    const orderIds = [world.id('old')];
    const { replayId, planned } = await plan(world.environment, { options: { orderIds, allowStale: true } });
    expect(planned?.tallies.new).toBe(1);
    expect((await run(world.environment, replayId)).effects).toEqual({ started: 1 });
    expect((await world.ledger(world.id('old')))?.state).toBe('started');
  });
});

describe('ranges', () => {
  const planned = async (asked: Parameters<typeof plan>[1]) => (await plan(world.environment, asked)).planned;

  it('are frozen: what comes later is not read', async () => {
    const [first = '', second = ''] = ['frozen-1', 'frozen-2'].map((name) => world.id(name));
    await world.produce(placed(first, {}, now));
    const { replayId } = await plan(world.environment, { options: { orderIds: [first, second] } });
    await world.produce(placed(second, {}, now));
    expect((await run(world.environment, replayId)).effects).toEqual({ started: 1 });
    expect(await world.ledger(second)).toBeUndefined();
  });

  it('are cut by offsets, record times and types', async () => {
    const id = world.id('cut');
    const ends = await logEnds(world.admin, world.topics.orders);
    const from = Number(ends.find(({ partition }) => partition === 1)?.high);
    const record = (event: ReturnType<typeof placed>, timestamp: string) => ({
      ...{ key: id, value: world.encode(event), partition: 1, timestamp },
    });
    const early = Date.now() - 10 * DAY_MS;
    await world.produce(
      record(placed(id, {}, now), String(early)),
      record(amended(id, { items: [item()] }), String(early + 1_000)),
      record(cancelled(id), String(early + 2_000)),
    );
    const spans = [{ partition: 1, from, to: from + 2 }];
    expect((await planned({ spans, options: { allowStale: true } }))?.tallies).toEqual({ new: 1, unheard: 2 });
    expect(
      (await planned({ spans: [{ partition: 1, from, to: from + 1 }], options: { allowStale: true } }))?.tallies,
    ).toEqual({ new: 1, unheard: 1 });
    const types = ['OrderCancelled'];
    expect((await planned({ spans, options: { types } }))?.tallies).toEqual({ filtered: 2, early: 1 });
    const times = { fromTime: early + 1_000, toTime: early + 2_000 };
    expect((await planned({ options: times }))?.tallies.early).toBe(1);
  });
});

describe('an order whose workflow Temporal has forgotten', () => {
  it('is known to the ledger: it is not started again', async () => {
    const orderId = world.id('forgotten');
    await world.produce(placed(orderId, {}, now));
    const options = { orderIds: [orderId] };
    await run(world.environment, (await plan(world.environment, { options })).replayId);
    await forget(orderId);

    const { replayId, planned } = await plan(world.environment, { options });
    expect(planned?.tallies).toEqual({ running: 1, filtered: (planned?.records ?? 0) - 1 });
    expect((await run(world.environment, replayId)).effects).toEqual({});
    expect(await world.run(orderId)).toBeUndefined();
  });

  it('is refused by ingest, too, if the ledger has never known it', async () => {
    const orderId = world.id('older');
    await world.produce(placed(orderId));
    const ingest = await startIngest(world);
    await world.untilRead();
    await ingest.stop();

    expect(await world.ledger(orderId)).toBeUndefined();
    expect(await world.run(orderId)).toBeUndefined();
    const letters = (await world.deadLetters()).filter(({ key }) => key?.toString() === orderId);
    expect(letters.map(({ headers }) => headers['oms-dlq-error-code'])).toEqual(['OMS_INGEST_STALE']);
  });
});

/** As its retention does. */
async function forget(orderId: string): Promise<void> {
  const { client } = world;
  const workflowExecution = { workflowId: orderWorkflowId(orderId) };
  const { namespace } = client.options;
  await client.workflow.getHandle(workflowExecution.workflowId).terminate('retention');
  await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
  await waitFor('the workflow to be forgotten', async () => (await world.run(orderId)) === undefined);
}
