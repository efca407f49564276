import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { startIngest } from '../helpers/ingests.ts';
import type { IngestHere } from '../helpers/ingests.ts';
import { address, amended, cancelled, customerAction, item, placed } from '../helpers/order-events.ts';
import { waitFor } from '../helpers/wait.ts';

let world: IngestWorld;
let ingest: IngestHere;

beforeAll(async () => {
  world = await createIngestWorld({ partitions: 2 });
  ingest = await startIngest(world);
});
afterAll(async () => {
  await ingest.stop();
  await world.drop();
});

const codes = async (orderId: string) =>
  (await world.deadLetters())
    .filter(({ headers }) => headers['oms-dlq-order-id'] === orderId)
    .map(({ headers }) => headers['oms-dlq-error-code']);

const DAY_MS = 86_400_000;

async function close(orderId: string): Promise<void> {
  await world.client.workflow.getHandle(`Order:${orderId}`).terminate('stands for its end');
  await world.db.updateTable('ledger').set({ state: 'closed' }).where('order_id', '=', orderId).execute();
}

describe('a placed order', () => {
  it('becomes one workflow, and the ledger knows it', async () => {
    const id = world.id('plain');
    await world.produce(placed(id));
    await world.untilRead();
    expect(await world.run(id)).toEqual({
      input: {
        v: 1,
        orderId: id,
        timers: {
          customerActionMs: 30_000,
          carrierOverdueMs: DAY_MS,
          reservationMs: DAY_MS,
          paymentHoldMs: 6 * DAY_MS,
          shipByMs: 2 * DAY_MS,
          deliverByMs: 7 * DAY_MS,
        },
        parked: [],
      },
      signals: [],
    });
    expect(await world.ledger(id)).toEqual({ state: 'started', source: 'shop' });
    expect(await world.done(id)).toEqual({ [`${id}/placed`]: 'started' });
  });

  it('sent a thousand times stays one workflow', async () => {
    const id = world.id('again');
    const before = (await ingest.outcomes()).duplicate ?? 0;
    await world.produce(...Array.from({ length: 1_000 }, () => placed(id)));
    await world.untilRead();
    expect(await world.run(id)).toMatchObject({ input: { orderId: id } });
    expect(((await ingest.outcomes()).duplicate ?? 0) - before).toBe(999);
    expect(await codes(id)).toEqual([]);
  });

  it('is the same under a new event id, with other texts, times and order of lines', async () => {
    const id = world.id('retold');
    const [a, b] = [item('A'), item('B', { quantity: 2 })];
    await world.produce(placed(id, { items: [a, b] }));
    await world.produce(placed(id, { items: [{ ...b, description: 'text' }, a] }, { eventId: 'new', occurredAt: 1 }));
    await world.untilRead();
    expect(await codes(id)).toEqual([]);
    expect(await world.done(id)).toEqual({ [`${id}/placed`]: 'started', new: 'handled' });
  });

  it('with other content, or from another source, is a dead letter and changes nothing', async () => {
    const id = world.id('conflict');
    await world.produce(placed(id));
    await world.untilRead();
    await world.produce(
      placed(id, { items: [item('OTHER')] }, { eventId: 'other content' }),
      placed(id, {}, { eventId: 'other source', source: 'till' }),
      placed(id, { currency: 'EUR' }),
    );
    await world.untilRead();
    expect(await codes(id)).toEqual([
      'OMS_INGEST_ORDER_CONFLICT',
      'OMS_INGEST_ORDER_CONFLICT',
      'OMS_INGEST_EVENT_CONFLICT',
    ]);
    expect(await world.ledger(id)).toEqual({ state: 'started', source: 'shop' });
  });

  it('is told of its amendment, which may also come first', async () => {
    const [known, early] = [world.id('amended'), world.id('amended-early')];
    const wish = { items: [item('A')], shipTo: address };
    await world.produce(placed(known), amended(known, wish), amended(early, wish), placed(early));
    await world.untilRead();
    expect([...(await codes(known)), ...(await codes(early))]).toEqual([]);
    expect(await world.run(known)).toMatchObject({ signals: [`${known}/amended`] });
    const { input, signals } = (await world.run(early)) ?? {};
    expect([...(input?.parked.map(({ eventId }) => eventId) ?? []), ...(signals ?? [])]).toEqual([`${early}/amended`]);
  });

  it('that was closed long ago, and whose run is gone, is not started again', async () => {
    const id = world.id('closed');
    await world.produce(placed(id));
    await world.untilRead();
    await close(id);
    const handle = world.client.workflow.getHandle(`Order:${id}`);
    await world.client.workflowService.deleteWorkflowExecution({
      namespace: world.client.options.namespace,
      workflowExecution: { workflowId: handle.workflowId },
    });
    await waitFor('the run to be deleted', async () => (await world.run(id)) === undefined);
    await world.produce(placed(id), placed(id, {}, { eventId: 'later' }));
    await world.untilRead();
    expect(await world.run(id)).toBeUndefined();
  });
});

describe('a lifecycle event', () => {
  it('becomes a signal, once', async () => {
    const id = world.id('signal');
    await world.produce(placed(id), customerAction(id, 'Amend'), customerAction(id, 'Amend'));
    await world.untilRead();
    await world.produce(cancelled(id), customerAction(id, 'Amend'));
    await world.untilRead();
    expect((await world.run(id))?.signals).toEqual([`${id}/action-Amend`, `${id}/cancelled`]);
    expect(await world.done(id)).toMatchObject({
      [`${id}/action-Amend`]: 'signalled',
      [`${id}/cancelled`]: 'signalled',
    });
  });

  it('before its order waits, and comes with the order’s start', async () => {
    const id = world.id('early');
    await world.produce(cancelled(id));
    await world.untilRead();
    expect(await world.ledger(id)).toEqual({ state: 'awaited', source: null });
    await world.produce(cancelled(id), placed(id));
    await world.untilRead();
    expect(await world.run(id)).toMatchObject({ input: { parked: [{ eventId: `${id}/cancelled` }] }, signals: [] });
    expect(await world.done(id)).toEqual({ [`${id}/placed`]: 'started', [`${id}/cancelled`]: 'signalled' });
    expect(await world.db.selectFrom('parked_events').select('event_id').where('order_id', '=', id).execute()).toEqual(
      [],
    );
  });

  it('of another partition reaches its order all the same', async () => {
    const id = world.id('elsewhere');
    const event = cancelled(id);
    await world.produce({ key: id, value: world.encode(event), partition: 1 }, placed(id));
    await world.untilRead();
    const run = await world.run(id);
    const told = [...(run?.input.parked ?? []).map(({ eventId }) => eventId), ...(run?.signals ?? [])];
    expect(told).toEqual([event.eventId]);
  });

  it('is applied by the producer’s count when several wait', async () => {
    const id = world.id('counted');
    const third = cancelled(id, { reason: 'third' }, { eventId: 'third', sequence: 3 });
    const second = customerAction(id, 'Amend', { eventId: 'second', sequence: 2 });
    await world.produce(third, second, placed(id, {}, { sequence: 1 }));
    await world.untilRead();
    expect((await world.run(id))?.input.parked.map(({ eventId }) => eventId)).toEqual(['second', 'third']);
  });

  it('with other content under a known event id is a conflict', async () => {
    const id = world.id('changed');
    await world.produce(placed(id), cancelled(id), cancelled(id, { reason: 'changed' }));
    await world.untilRead();
    expect(await codes(id)).toEqual(['OMS_INGEST_EVENT_CONFLICT']);
    expect((await world.run(id))?.signals).toEqual([`${id}/cancelled`]);
  });

  it('of a closed order is late: recorded, and refused once', async () => {
    const id = world.id('late');
    await world.produce(placed(id));
    await world.untilRead();
    await close(id);
    await world.produce(cancelled(id), cancelled(id));
    await world.untilRead();
    await world.produce(cancelled(id));
    await world.untilRead();
    expect(await codes(id)).toEqual(['OMS_INGEST_LATE']);
    expect(await world.done(id)).toEqual({ [`${id}/placed`]: 'started', [`${id}/cancelled`]: 'late' });
  });

  it('of an order whose run was ended from outside is a dead letter, and may come again', async () => {
    const id = world.id('terminated');
    await world.produce(placed(id));
    await world.untilRead();
    await world.client.workflow.getHandle(`Order:${id}`).terminate('by an operator');
    await world.produce(cancelled(id));
    await world.untilRead();
    expect(await codes(id)).toEqual(['OMS_INGEST_ORDER_NOT_RUNNING']);
    expect(await world.done(id)).toEqual({ [`${id}/placed`]: 'started' });
  });
});
