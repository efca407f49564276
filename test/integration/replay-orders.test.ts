import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { readActions, readParts } from '../../database/replays.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
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

async function rows(table: 'ledger' | 'ledger_events' | 'parked_events' | 'dead_letters' | 'replay_drafts') {
  return Number((await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(world.db)).rows[0]?.n);
}

async function allRows(): Promise<number[]> {
  const tables = ['ledger', 'ledger_events', 'parked_events', 'dead_letters', 'replay_drafts'] as const;
  return Promise.all(tables.map(rows));
}

describe('a topic with every kind of record', () => {
  const EXPECTED = { new: 2, early: 2, unheard: 2, running: 3, done: 1, late: 1, conflicting: 1, stale: 1, poison: 2 };

  beforeAll(async () => {
    const { id } = world;
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
