import { expect } from '@jest/globals';
import { sql } from 'kysely';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { IngestWorld } from './ingest-world.ts';
import { cancelled, customerAction, item, placed } from './order-events.ts';
import { waitFor } from './wait.ts';

/** Records of every kind, under order ids of their own, and what they must have come to in the end. */
export interface CrashScenario {
  produce(): Promise<void>;
  /** Compares all that is outside of ingest with what should be there. */
  check(): Promise<void>;
}

export function createCrashScenario(world: IngestWorld, name: string): CrashScenario {
  const [plain, early, told, disputed, closed, bad] = ['plain', 'early', 'told', 'disputed', 'closed', 'bad'].map(
    (order) => world.id(`${name}-${order}`),
  ) as [string, string, string, string, string, string];
  const many = Array.from({ length: 5 }, (_, i) => world.id(`${name}-many-${i}`));
  const started: Record<string, string[]> = {
    [plain]: [],
    [early]: [`${early}/cancelled`],
    [told]: [`${told}/action-Amend`, `${told}/cancelled`],
    [disputed]: [],
    ...Object.fromEntries(many.map((id) => [id, []])),
  };
  return {
    produce: async () => {
      await closeOrder(world, closed);
      await world.produce(
        cancelled(early),
        placed(plain),
        { key: bad, value: Buffer.from('not Avro') },
        placed(disputed),
        placed(disputed, { items: [item('OTHER')] }, { eventId: 'other content' }),
        placed(told),
        customerAction(told, 'Amend'),
        placed(early),
        placed(plain),
        cancelled(closed),
        ...many.map((id) => placed(id)),
        cancelled(told),
        cancelled(told),
      );
    },
    check: async () => {
      for (const [id, events] of Object.entries(started)) await checkStarted(world, id, events);
      await checkCount(world, name, Object.keys(started).length);
      expect(await world.done(closed)).toEqual({ [`${closed}/cancelled`]: 'late' });
      await checkLetters(world, {
        [bad]: 'OMS_INGEST_NOT_AVRO',
        [disputed]: 'OMS_INGEST_ORDER_CONFLICT',
        [closed]: 'OMS_INGEST_LATE',
      });
      expect(await world.db.selectFrom('parked_events').select('event_id').execute()).toEqual([]);
    },
  };
}

async function closeOrder(world: IngestWorld, orderId: string): Promise<void> {
  await sql`insert into ledger (order_id, state, source, closed_at) values (${orderId}, 'closed', 'shop', now())`.execute(
    world.db,
  );
}

/** Started once, told everything, in order; a signal may have come twice, which the workflow does not mind. */
async function checkStarted(world: IngestWorld, orderId: string, events: string[]): Promise<void> {
  expect(await world.ledger(orderId)).toEqual({ state: 'started', source: 'shop' });
  const run = await world.run(orderId);
  const heard = [...(run?.input.parked.map(({ eventId }) => eventId) ?? []), ...(run?.signals ?? [])];
  expect([...new Set(heard)]).toEqual(events);
  const signalled = Object.fromEntries(events.map((eventId) => [eventId, 'signalled']));
  expect(await world.done(orderId)).toEqual({ [`${orderId}/placed`]: 'started', ...signalled });
}

/** Not one workflow more than there are orders; what can be listed follows what was started after a moment. */
async function checkCount(world: IngestWorld, name: string, orders: number): Promise<void> {
  const { client } = world;
  const query = `WorkflowId STARTS_WITH "${orderWorkflowId(world.id(`${name}-`))}"`;
  await waitFor(`${orders} workflows to be listed`, async () => (await client.workflow.count(query)).count >= orders);
  expect((await client.workflow.count(query)).count).toBe(orders);
}

/** One dead letter per refused record. Copies on the topic carry the same id and the same bytes. */
async function checkLetters(world: IngestWorld, expected: Record<string, string>): Promise<void> {
  const orders = Object.keys(expected);
  const rows = await world.db.selectFrom('dead_letters').selectAll().where('order_id', 'in', orders).execute();
  expect(Object.fromEntries(rows.map((row) => [row.order_id, row.code]))).toEqual(expected);
  expect(rows).toHaveLength(orders.length);
  expect(rows.filter((row) => row.sent_at === null)).toEqual([]);
  const onTopic = (await world.deadLetters()).filter(({ headers }) =>
    orders.includes(headers['oms-dlq-order-id'] ?? ''),
  );
  const contents = onTopic.map(({ headers, value }) => `${headers['oms-dlq-id']} ${value?.toString('hex')}`);
  expect(new Set(contents).size).toBe(orders.length);
  expect(new Set(onTopic.map(({ headers }) => headers['oms-dlq-id']))).toEqual(new Set(rows.map((row) => row.id)));
}
