import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decisionsAbout } from '../../database/decisions.ts';
import type { OrderState } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { recoverByOperator } from '../../operations/stuck/recovery.ts';
import { createOrderWorkflows } from '../../temporal/order-workflows.ts';
import { taskQueueName } from '../../workers/worker.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 1_000 }]);
});
afterAll(() => world.drop());

const isBooked = ({ fulfillments }: OrderState): boolean => fulfillments?.[0]?.shipment === 'booked';
const resultOf = (id: string): Promise<unknown> => world.client.workflow.getHandle(orderWorkflowId(id)).result();

/** An order that was booked, and whose run somebody has terminated. */
async function terminated(name: string): Promise<string> {
  const id = world.id(name);
  const handle = await world.start(id, [{ sku: 'e' }]);
  await world.until(id, isBooked);
  // Ingest confirms what it has started.
  await world.db.updateTable('ledger').set({ state: 'started' }).where('order_id', '=', id).execute();
  await handle.terminate('by mistake');
  return id;
}

const recover = (id: string, then: 'goes on' | 'cancels') =>
  recoverByOperator(
    {
      db: world.db,
      workflows: createOrderWorkflows({
        client: world.client,
        taskQueue: taskQueueName(world.prefix),
        timersOf: () => ({ customerActionMs: 60_000, carrierOverdueMs: 600_000 }),
      }),
    },
    { who: 'tester', why: 'it was terminated' },
    id,
    then,
  );

describe('An order whose run was terminated', () => {
  it('goes on in a new run, and is charged and booked once', async () => {
    const id = await terminated('goes-on');
    expect(await recover(id, 'goes on')).toEqual({ orderId: id, was: 'TERMINATED', then: 'goes on' });
    await world.until(id, isBooked);
    await world.hear('delivered', `${id}:1`);
    expect(await resultOf(id)).toEqual({ status: 'completed' });
    expect(await world.toldTypes(id)).toMatchObject({
      InvoiceIssued: 1,
      InvoicePaid: 1,
      ShipmentBooked: 1,
      Delivered: 1,
    });
  });

  it('is settled when it is to be cancelled: the booking is called off and the money goes back', async () => {
    const id = await terminated('cancels');
    await recover(id, 'cancels');
    expect(await resultOf(id)).toEqual({ status: 'cancelled' });
    expect(await world.toldTypes(id)).toMatchObject({ ShipmentCancelled: 1, InvoiceRefunded: 1 });
    expect((await world.stockOf('e'))['east']?.reserved).toBe(0);
  });

  it('is not recovered twice, nor while it runs, nor when it is closed', async () => {
    const id = await terminated('refused');
    await recover(id, 'goes on');
    await expect(recover(id, 'goes on')).rejects.toMatchObject({ code: 'OMS_ORDER_STILL_RUNNING' });
    await world.until(id, isBooked);
    await world.hear('delivered', `${id}:1`);
    await resultOf(id);
    await expect(recover(id, 'goes on')).rejects.toThrow('is closed: all of it has come to its end');
    await expect(recover(world.id('nobody'), 'goes on')).rejects.toMatchObject({ code: 'OMS_ORDER_UNKNOWN' });
  });

  it('keeps who recovered it, when and why, and what came of it, also when it was refused', async () => {
    const id = await terminated('decided');
    await recover(id, 'cancels');
    await expect(recover(id, 'goes on')).rejects.toMatchObject({ code: 'OMS_ORDER_STILL_RUNNING' });
    const decisions = await decisionsAbout(world.db, 'order', id);
    const by = { action: 'recover', who: 'tester', why: 'it was terminated', doneAt: expect.any(Date) };
    expect(decisions).toMatchObject([
      { ...by, detail: { then: 'cancels' }, outcome: { was: 'TERMINATED', then: 'cancels' } },
      { ...by, detail: { then: 'goes on' }, outcome: { refused: 'OMS_ORDER_STILL_RUNNING' } },
    ]);
  });
});
