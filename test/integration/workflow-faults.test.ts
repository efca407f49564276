import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { OmsError } from '../../domain/errors.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';
import { waitFor } from '../helpers/wait.ts';

/** What goes wrong in our own steps, by order name: how often still. */
const faults = new Map<string, number>();
let attempts = 0;

const strike = (orderId: string, failure: () => Error): void => {
  const name = orderId.replace(/^.*\./, '');
  const left = faults.get(name) ?? 0;
  if (left === 0) return;
  attempts++;
  faults.set(name, left - 1);
  throw failure();
};

const notNow = (): Error => new OmsError('OMS_PAYMENT_UNAVAILABLE', 'not now');

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld({
    change: (activities) => ({
      ...activities,
      takeOrder: async (orderId, runId) => {
        const taken = await activities.takeOrder(orderId, runId);
        // After its effect: the worker lost the answer.
        strike(orderId, () => new Error('the answer was lost'));
        return taken;
      },
      tryFulfil: (orderId, ids) =>
        orderId.endsWith('half-paid') ? Promise.reject(notNow()) : activities.tryFulfil(orderId, ids),
      // The provider answers for the second fulfillment, and never for the first.
      chargeFulfillments: (orderId, ids) => {
        const answered = orderId.endsWith('half-paid') ? ids.filter((id) => id.endsWith(':2')) : ids;
        return answered.length > 0 ? activities.chargeFulfillments(orderId, answered) : Promise.reject(notNow());
      },
      closeOrder: async (orderId, request) => {
        strike(orderId, () => ApplicationFailure.nonRetryable('a bug of ours', 'Bug'));
        return activities.closeOrder(orderId, request);
      },
    }),
  });
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'west', sku: 'w', onHand: 1_000 },
  ]);
});
afterAll(() => world.drop());

describe('The order workflow', () => {
  it('survives a step whose answer is lost: the step is asked for again and has one effect', async () => {
    const id = world.id('lost');
    faults.set('lost', 3);
    const handle = await world.start(id, [{ sku: 'e', quantity: 4 }]);
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.shipment === 'booked');
    expect((await world.stockOf('e'))['east']).toMatchObject({ reserved: 4 });
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(attempts).toBe(3);
  });

  it('called off while one part is being charged and another one booked, undoes both', async () => {
    const id = world.id('half-paid');
    world.away.carrier = true;
    const handle = await world.start(id, [{ sku: 'e' }, { sku: 'w' }]);
    await world.until(id, ({ fulfillments }) => fulfillments?.[1]?.shipment === 'pending');
    await waitFor('both to be under way', async () => {
      const { raw } = await handle.describe();
      return new Set(raw.pendingActivities?.map(({ activityType }) => activityType?.name)).size === 2;
    });
    await world.signal(id, { v: 1, kind: 'cancel', eventId: 'cancel-1', reason: 'test', fulfillmentId: null });
    await world.until(id, ({ waitingFor }) => waitingFor === 'carrier');
    world.away.carrier = false;
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await world.charged(`${id}:2`)).toEqual({ taken: 1_700, refunded: 1_700 });
  });

  it('stops at a bug in its task, visible, never failed; and goes on when the bug is gone', async () => {
    const id = world.id('bug');
    const handle = await world.start(id, [{ sku: 'e' }]);
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.shipment === 'booked');
    faults.set('bug', 2);
    await world.hear('delivered', `${id}:1`);
    const failed = await waitFor('a failed workflow task', async () => {
      const { events } = await handle.fetchHistory();
      return events?.find((event) => event.workflowTaskFailedEventAttributes)?.workflowTaskFailedEventAttributes;
    });
    expect(failed.failure?.message).toContain('a bug of ours');
    expect((await handle.describe()).status.name).toBe('RUNNING');
    expect(await handle.result()).toEqual({ status: 'completed' });
  });

  it('takes in a message that comes while the order is closing', async () => {
    const ids = Array.from({ length: 8 }, (_, i) => world.id(`closing-${i}`));
    for (const id of ids) {
      const handle = await world.start(id, [{ sku: 'e' }]);
      await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.shipment === 'booked');
      const message = { v: 1, kind: 'cancel', eventId: 'late', reason: null, fulfillmentId: null } as const;
      const told = world.hear('delivered', `${id}:1`);
      const isTaken = await world.signal(id, message).then(
        () => true,
        () => false,
      );
      await told;
      const { status } = await handle.result();
      const recorded = await world.db
        .selectFrom('ledger_events')
        .select('outcome')
        .where('order_id', '=', id)
        .execute();
      // Whichever came first, a message that was taken in has its outcome in the ledger.
      expect(recorded).toEqual(isTaken ? [{ outcome: status === 'completed' ? 'refused' : 'handled' }] : []);
    }
  });
});
