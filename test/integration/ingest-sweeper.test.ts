import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { spawnIngest, startIngest } from '../helpers/ingests.ts';
import { cancelled, customerAction, placed } from '../helpers/order-events.ts';
import { waitFor } from '../helpers/wait.ts';

let world: IngestWorld;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  world = await createIngestWorld({ settings: { OMS_PARKING_DEADLINE: '1 h' } });
  cleanUps.push(() => world.drop());
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const SWEEPING = { OMS_SWEEP_INTERVAL: '50 ms' };

async function start(settings: Record<string, string> = {}): Promise<void> {
  const ingest = await startIngest(world, { settings });
  cleanUps.push(() => ingest.stop());
}

async function parked(): Promise<string[]> {
  const rows = await world.db.selectFrom('parked_events').select('event_id').execute();
  return rows.map((row) => row.event_id);
}

/** Runs what `first` does with an ingest that sweeps nothing (no deadline has passed when it does), and ends it. */
async function before(first: () => Promise<void>): Promise<void> {
  const ingest = await startIngest(world);
  await first();
  await world.untilRead();
  await ingest.stop();
}

/** Lets the deadline of everything that is parked pass. */
async function passDeadlines(): Promise<void> {
  await sql`update parked_events set deadline = clock_timestamp() - interval '1 second'`.execute(world.db);
}

describe('events whose order never comes', () => {
  it('become dead letters at their deadline, one each, with two ingests sweeping', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => world.id(`never-${i}`));
    await before(() => world.produce(...ids.flatMap((id) => [customerAction(id, 'Amend'), cancelled(id)])));
    expect(await parked()).toHaveLength(60);
    await passDeadlines();
    await Promise.all([start(SWEEPING), start(SWEEPING)]);
    await waitFor('the parking place to be empty', async () => (await parked()).length === 0);
    const unsent = () => world.db.selectFrom('dead_letters').select('id').where('sent_at', 'is', null).execute();
    await waitFor('the dead letters to be sent', async () => (await unsent()).length === 0);
    const letters = await world.deadLetters();
    expect(new Set(letters.map(({ headers }) => headers['oms-dlq-error-code']))).toEqual(
      new Set(['OMS_INGEST_ORDER_NEVER_CAME']),
    );
    expect(letters).toHaveLength(60);
    expect(new Set(letters.map(({ headers }) => headers['oms-dlq-id'])).size).toBe(60);
    expect(await world.ledger(ids[0] ?? '')).toBeUndefined();
  });

  it('do not keep the order from coming later', async () => {
    const id = world.id('after-all');
    await before(() => world.produce(cancelled(id)));
    await passDeadlines();
    await start(SWEEPING);
    await waitFor('the dead letter', async () => (await world.deadLetters()).length === 1);
    await world.produce(placed(id));
    await world.untilRead();
    expect(await world.run(id)).toMatchObject({ input: { parked: [] } });
  });

  it.each(['deadLettersIntended', 'deadLettersSent', 'deadLettersMarked'] as const)(
    'are one dead letter each also when ingest is killed after "%s"',
    async (killAt) => {
      const id = world.id('killed');
      await before(() => world.produce(cancelled(id)));
      await passDeadlines();
      expect(await spawnIngest(world, { killAt, settings: SWEEPING }).gone).toBe('SIGKILL');
      await sql`update dead_letters set created_at = created_at - interval '2 minutes'`.execute(world.db);
      await start(SWEEPING);
      await waitFor('the dead letter to be marked as sent', async () => {
        const rows = await world.db.selectFrom('dead_letters').select('sent_at').execute();
        return rows.length === 1 && rows[0]?.sent_at !== null;
      });
      const contents = (await world.deadLetters()).map(
        ({ headers, value }) => `${headers['oms-dlq-id']} ${value?.toString('hex')}`,
      );
      expect(new Set(contents).size).toBe(1);
      expect(await parked()).toEqual([]);
    },
  );
});

describe('what a process that died left behind', () => {
  it('a claimed order is started, with what is parked for it', async () => {
    const id = world.id('claimed');
    await before(() => world.produce(placed(id), placed(world.id('other'))));
    await world.client.workflowService.deleteWorkflowExecution({
      namespace: world.client.options.namespace,
      workflowExecution: { workflowId: `Order:${id}` },
    });
    await waitFor('the run to be gone', async () => (await world.run(id)) === undefined);
    await sql`update ledger set state = 'claimed', claimed_at = now() - interval '2 minutes' where order_id = ${id}`.execute(
      world.db,
    );
    await start(SWEEPING);
    await waitFor('the order to be started', async () => (await world.ledger(id))?.state === 'started');
    expect(await world.run(id)).toMatchObject({ input: { orderId: id } });
  });

  it('an event still parked for a started order is signalled', async () => {
    const id = world.id('stray');
    await before(() => world.produce(cancelled(id)));
    await before(() => world.produce(placed(id)));
    await sql`
      insert into parked_events (order_id, event_id, message, record_topic, record_partition, record_offset, record_time, deadline)
      values (${id}, 'stray', '{"v":1,"kind":"cancel","eventId":"stray","reason":null,"fulfillmentId":null}', 'orders', 0, 0, now(), now())
    `.execute(world.db);
    await start(SWEEPING);
    await waitFor('the parking place to be empty', async () => (await parked()).length === 0);
    expect((await world.run(id))?.signals).toEqual(['stray']);
    expect(await world.done(id)).toMatchObject({ stray: 'signalled' });
  });
});
