import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CUSTOMER_ACTION_SIGNAL } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { isAsked } from '../helpers/order-states.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 1_000 }]);
});
afterAll(() => world.drop());

const PARTLY_UNAVAILABLE = [{ sku: 'sold-out' }, { sku: 'e', quantity: 2 }];
const statuses = async (orderId: string) => {
  const rows = world.db.selectFrom('fulfillments').select('status').where('order_id', '=', orderId).orderBy('n');
  return (await rows.execute()).map(({ status }) => status);
};
const recorded = async (orderId: string) => {
  const rows = world.db.selectFrom('ledger_events').select(['event_id', 'type', 'outcome']);
  return rows.where('order_id', '=', orderId).orderBy('event_id').execute();
};
const reserved = async (): Promise<number> => (await world.stockOf('e'))['east']?.reserved ?? 0;
const action = (eventId: string, chosen: 'amend' | 'cancel'): LifecycleMessage => ({
  v: 1,
  kind: 'customerAction',
  eventId,
  action: chosen,
});

describe('An order with something unavailable', () => {
  it('asks the customer, and after `amend` goes on without it', async () => {
    const id = world.id('amend');
    const handle = await world.start(id, PARTLY_UNAVAILABLE);
    expect(await world.until(id, isAsked)).toMatchObject({
      waitingFor: 'customer action',
      fulfillments: [
        { id: `${id}:1`, status: 'unavailable' },
        { id: `${id}:2`, status: 'pending' },
      ],
    });
    await world.signal(id, action('e1', 'amend'));
    await world.until(id, ({ fulfillments }) => fulfillments?.[1]?.shipment === 'booked');
    await world.hear('delivered', `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await statuses(id)).toEqual(['cancelled', 'completed']);
    expect(await recorded(id)).toEqual([{ event_id: 'e1', type: 'CustomerAction', outcome: 'handled' }]);
  });

  it('is given up by `cancel`, in the words of the reference too, and nothing is charged', async () => {
    const id = world.id('cancel');
    const before = await reserved();
    const handle = await world.start(id, PARTLY_UNAVAILABLE);
    await world.until(id, isAsked);
    await world.client.workflow.getHandle(orderWorkflowId(id)).signal(CUSTOMER_ACTION_SIGNAL, { action: 'cancel' });
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await statuses(id)).toEqual(['cancelled', 'cancelled']);
    expect(await reserved()).toBe(before);
    expect(await world.charged(`${id}:2`)).toBeNull();
  });

  it('times out when the customer does not answer', async () => {
    const id = world.id('timeout');
    const before = await reserved();
    const timers = { customerActionMs: 300, carrierOverdueMs: 60_000 };
    const handle = await world.start(id, PARTLY_UNAVAILABLE, { timers });
    expect(await handle.result()).toEqual({ status: 'timedOut' });
    expect(await statuses(id)).toEqual(['cancelled', 'cancelled']);
    expect(await reserved()).toBe(before);
  });

  it('refuses an action it does not know and goes on waiting', async () => {
    const id = world.id('unknown');
    const handle = await world.start(id, PARTLY_UNAVAILABLE);
    await world.until(id, isAsked);
    const running = world.client.workflow.getHandle(orderWorkflowId(id));
    await running.signal(CUSTOMER_ACTION_SIGNAL, { action: 'dance', eventId: 'odd' });
    await running.signal('OrderLifecycle', { v: 99, kind: 'cancel', eventId: 'future' });
    await running.signal('OrderLifecycle', 'not even an object');
    await world.signal(id, action('sound', 'cancel'));
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await recorded(id)).toMatchObject([
      { event_id: 'future', outcome: 'refused' },
      { event_id: 'odd', type: 'CustomerAction', outcome: 'refused' },
      { event_id: 'signal-3', type: 'Unknown', outcome: 'refused' },
      { event_id: 'sound', outcome: 'handled' },
    ]);
  });

  it('takes an action that came before the question, and each event once', async () => {
    const id = world.id('parked');
    const parked = [action('early', 'amend'), action('early', 'amend')];
    const handle = await world.start(id, PARTLY_UNAVAILABLE, { parked });
    await world.until(id, ({ fulfillments }) => fulfillments?.[1]?.shipment === 'booked');
    await world.signal(id, action('early', 'amend'));
    await world.hear('delivered', `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await recorded(id)).toEqual([{ event_id: 'early', type: 'CustomerAction', outcome: 'handled' }]);
  });

  it('of which nothing is available is cancelled by `amend`: nothing is left of it', async () => {
    const id = world.id('nothing');
    const handle = await world.start(id, [{ sku: 'sold-out' }]);
    await world.until(id, isAsked);
    await world.signal(id, action('e1', 'amend'));
    expect(await handle.result()).toEqual({ status: 'cancelled' });
  });
});
