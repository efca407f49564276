import { afterEach, describe, expect, it } from '@jest/globals';
import { createCrashScenario } from '../helpers/crash-scenario.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { spawnIngest, startIngest } from '../helpers/ingests.ts';
import type { IngestProcess } from '../helpers/ingests.ts';
import { cancelled, placed } from '../helpers/order-events.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { createTcpSwitch } from '../helpers/tcp-switch.ts';
import { waitFor } from '../helpers/wait.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function makeWorld(partitions = 1): Promise<IngestWorld> {
  const world = await createIngestWorld({ partitions });
  cleanUps.push(() => world.drop());
  return world;
}

describe('a topic read again from its beginning', () => {
  it('has no effect, and needs no Temporal', async () => {
    const world = await makeWorld();
    const way = await createTcpSwitch(testEnvironment().TEMPORAL_ADDRESS);
    cleanUps.push(() => way.close());
    const scenario = createCrashScenario(world, 'replay');
    await scenario.produce();
    const first = await startIngest(world);
    await world.untilRead();
    await scenario.check();
    await first.stop();
    const letters = (await world.deadLetters()).length;

    await world.admin.resetOffsets({ groupId: world.groupId, topic: world.topics.orders, earliest: true });
    const replay = await startIngest(world, { settings: { TEMPORAL_ADDRESS: way.address } });
    cleanUps.push(() => replay.stop());
    await waitFor('ingest to be running', async () => (await replay.ready.kafka?.()) === null);
    way.cut();
    await world.untilRead();

    await scenario.check();
    expect(await replay.outcomes()).toEqual({ duplicate: 15, poison: 1, conflict: 1 });
    expect(await world.deadLetters()).toHaveLength(letters);
  });
});

describe('several ingests', () => {
  it('that come, go and are killed under load lose nothing and double nothing', async () => {
    const PARTITIONS = 6;
    const ORDERS = 900;
    const world = await makeWorld(PARTITIONS);
    const processes: IngestProcess[] = [];
    const spawn = (): IngestProcess => {
      const process = spawnIngest(world);
      processes.push(process);
      cleanUps.push(() => process.kill());
      return process;
    };
    const started = async (): Promise<number> => {
      const rows = world.db
        .selectFrom('ledger')
        .where('state', '=', 'started')
        .select((eb) => eb.fn.countAll().as('n'));
      return Number((await rows.executeTakeFirstOrThrow()).n);
    };
    const ids = Array.from({ length: ORDERS }, (_, i) => world.id(String(i)));
    // Every tenth order is cancelled, by a producer with another idea of partitions.
    const records = ids.flatMap((id, i) => [
      { key: id, value: world.encode(placed(id)), partition: i % PARTITIONS },
      ...(i % 10 === 0 ? [{ key: id, value: world.encode(cancelled(id)), partition: (i + 1) % PARTITIONS }] : []),
    ]);
    await world.produce(...records);

    const first = spawn();
    await waitFor('the first to be at work', async () => (await started()) > 20);
    const second = spawn();
    spawn();
    await waitFor('all three to be at work', async () => (await started()) > 300);
    await second.kill();
    expect(await first.stop()).toBe('0');
    await world.untilRead();

    expect(await started()).toBe(ORDERS);
    const query = `WorkflowId STARTS_WITH "Order:${world.id('')}"`;
    await waitFor('the workflows to be listed', async () => (await world.client.workflow.count(query)).count >= ORDERS);
    expect((await world.client.workflow.count(query)).count).toBe(ORDERS);
    for (const id of ids.filter((_, i) => i % 10 === 0)) {
      const run = await world.run(id);
      const heard = [...(run?.input.parked.map(({ eventId }) => eventId) ?? []), ...(run?.signals ?? [])];
      expect([...new Set(heard)]).toEqual([`${id}/cancelled`]);
    }
    expect(await world.deadLetters()).toEqual([]);
  });
});
