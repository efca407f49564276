import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { decisionsAbout } from '../../database/decisions.ts';
import type { OrderState } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { actOnStuck } from '../../operations/stuck/actions.ts';
import { stuckOrders } from '../../operations/stuck/reasons.ts';
import type { StuckAction, StuckOrder } from '../../operations/stuck/reasons.ts';
import { createOrderWorkflows } from '../../temporal/order-workflows.ts';
import { taskQueueName } from '../../workers/worker.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { waitFor } from '../helpers/wait.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld({
    // Waits go on doubling: an attempt that is made at once is one that was asked for.
    retryLimitMs: { OMS_PAYMENT_UNAVAILABLE: 3_600_000, OMS_CARRIER_UNAVAILABLE: 3_600_000 },
    change: (activities) => ({
      ...activities,
      takeOrder: async (orderId, runId) => {
        if (orderId.endsWith('broken')) throw ApplicationFailure.nonRetryable('a bug of ours', 'Bug');
        return activities.takeOrder(orderId, runId);
      },
    }),
  });
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 1_000 }]);
});
afterEach(() => {
  world.away.payment = world.away.carrier = false;
});
afterAll(() => world?.drop());

const isBooked = ({ fulfillments }: OrderState): boolean => fulfillments?.[0]?.shipment === 'booked';
const resultOf = (id: string): Promise<unknown> => world.client.workflow.getHandle(orderWorkflowId(id)).result();

/** Starts an order, which ingest confirms. */
async function start(name: string, sku = 'e'): Promise<string> {
  const id = world.id(name);
  await world.start(id, [{ sku }]);
  await world.db.updateTable('ledger').set({ state: 'started' }).where('order_id', '=', id).execute();
  return id;
}

async function find(orderId: string): Promise<StuckOrder | undefined> {
  return (await stuckOrders(world, { olderThanMs: 0, limit: 100 })).find((one) => one.orderId === orderId);
}

/** Resolves when the order waits for this. */
const untilWaiting = (id: string, waitsFor: string, holds: (order: StuckOrder) => boolean = () => true) =>
  waitFor(`${id} to wait for ${waitsFor}`, async () => {
    const order = await find(id);
    return order?.waitsFor === waitsFor && holds(order) && order;
  });

const act = (orderId: string, action: StuckAction, why = 'a test') =>
  actOnStuck(
    {
      ...world,
      workflows: createOrderWorkflows({
        client: world.client,
        taskQueue: taskQueueName(world.prefix),
        timersOf: () => ({ customerActionMs: 60_000, carrierOverdueMs: 600_000 }),
      }),
    },
    { orderId, action, by: { who: 'tester', why } },
  );

const refusal = { code: 'OMS_ORDER_ACTION_REFUSED' };
const attemptOf = ({ activities }: StuckOrder): number => activities[0]?.attempt ?? 0;

describe('An order that waits for a provider', () => {
  it('is listed with the step, its last error and its attempts; a retry begins its waits anew and doubles nothing', async () => {
    world.away.payment = true;
    const id = await start('payment');
    const waiting = await untilWaiting(id, 'payment', (order) => attemptOf(order) >= 4);
    expect(waiting.reason).toMatch(
      /^chargeFulfillments, attempt \d+.*: OMS_PAYMENT_UNAVAILABLE: .*payment provider is away/,
    );
    expect(waiting.actions).toEqual(['retry', 'cancel', 'fail']);
    await act(id, 'retry');
    await untilWaiting(id, 'payment', (order) => attemptOf(order) < 4);
    world.away.payment = false;
    await act(id, 'retry');
    await world.until(id, isBooked);
    expect((await world.charged(`${id}:1`))?.refunded).toBe(0);
    expect(await world.toldTypes(id)).toMatchObject({ InvoiceIssued: 1, InvoicePaid: 1, ShipmentBooked: 1 });
  });

  it('is cancelled: the provider is asked for what it may have taken, and undoing cannot be called off', async () => {
    world.away.payment = true;
    const id = await start('cancel');
    await untilWaiting(id, 'payment');
    await act(id, 'cancel', 'the customer rang');
    const undoing = await untilWaiting(id, 'refund', (order) => order.activities.length > 0);
    expect(undoing.actions).toEqual(['retry']);
    for (const action of ['cancel', 'fail'] as const) await expect(act(id, action)).rejects.toMatchObject(refusal);
    world.away.payment = false;
    await act(id, 'retry');
    expect(await resultOf(id)).toEqual({ status: 'cancelled' });
    expect((await world.charged(`${id}:1`))?.taken ?? 0).toBe(0);
  });

  it('fails when it is given up: with all compensation, and as an order that could not be carried out', async () => {
    world.away.carrier = true;
    const id = await start('fail');
    await untilWaiting(id, 'booking');
    await act(id, 'fail', 'the carrier has gone out of business');
    await untilWaiting(id, 'carrier', (order) => attemptOf(order) >= 1);
    world.away.carrier = false;
    await act(id, 'retry');
    expect(await resultOf(id)).toEqual({ status: 'failed' });
    const charged = await world.charged(`${id}:1`);
    expect(charged?.refunded).toBe(charged?.taken);
    const f = await world.db
      .selectFrom('fulfillments')
      .select(['status', 'reason'])
      .where('order_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(f).toEqual({ status: 'failed', reason: 'the carrier has gone out of business' });
    const wish = await world.db
      .selectFrom('ledger_events')
      .select(['event_id', 'outcome'])
      .where('order_id', '=', id)
      .where('event_id', 'like', 'operator/fail/%')
      .execute();
    expect(wish).toMatchObject([{ outcome: 'handled' }]);
    await expect(act(id, 'retry')).rejects.toMatchObject(refusal);
    const decisions = await decisionsAbout(world.db, 'order', id);
    expect(decisions).toMatchObject([
      { action: 'fail', who: 'tester', why: 'the carrier has gone out of business', doneAt: expect.any(Date) },
      { action: 'retry', doneAt: expect.any(Date) },
    ]);
  });
});

describe('An order that waits for somebody else', () => {
  it('may be given up while the carrier has it booked, and not once it was picked up', async () => {
    const id = await start('carrier');
    await world.until(id, isBooked);
    expect(await untilWaiting(id, 'carrier')).toMatchObject({ actions: ['cancel', 'fail'] });
    await expect(act(id, 'retry')).rejects.toMatchObject(refusal);
    await world.hear('dispatched', `${id}:1`);
    expect(await untilWaiting(id, 'carrier', ({ actions }) => actions.length === 0)).toBeDefined();
    await expect(act(id, 'cancel')).rejects.toThrow(/allows no cancel: .*no action is possible now/);
  });

  it('may be cancelled while the customer decides; it cannot fail, since nothing of it was available', async () => {
    const id = await start('customer', 'nothing-there');
    expect(await untilWaiting(id, 'customer')).toMatchObject({ status: 'customerActionRequired', actions: ['cancel'] });
    await expect(act(id, 'fail')).rejects.toMatchObject(refusal);
    await act(id, 'cancel');
    expect(await resultOf(id)).toEqual({ status: 'cancelled' });
  });
});

describe('An order whose run is gone', () => {
  const terminated = async (name: string): Promise<string> => {
    const id = await start(name);
    await world.until(id, isBooked);
    await world.client.workflow.getHandle(orderWorkflowId(id)).terminate('by mistake');
    const found = await untilWaiting(id, 'run');
    expect(found).toMatchObject({
      reason: expect.stringContaining('TERMINATED'),
      actions: ['retry', 'cancel', 'fail'],
    });
    return id;
  };

  it('gets a new one by a retry', async () => {
    const id = await terminated('lost-retry');
    await act(id, 'retry');
    await world.hear('delivered', `${id}:1`);
    expect(await resultOf(id)).toEqual({ status: 'completed' });
  });

  it('gets one that gives it up as failed', async () => {
    const id = await terminated('lost-fail');
    await act(id, 'fail');
    expect(await resultOf(id)).toEqual({ status: 'failed' });
    expect(await world.toldTypes(id)).toMatchObject({ ShipmentCancelled: 1, InvoiceRefunded: 1 });
  });
});

describe('An order that nothing can be done about but what is told', () => {
  it('waits for a release, with the bug that stops it', async () => {
    const id = await start('broken');
    const found = await untilWaiting(id, 'release', ({ reason }) => reason.includes('a bug of ours'));
    expect(found.actions).toEqual([]);
    await world.client.workflow.getHandle(orderWorkflowId(id)).terminate('end of the test');
  });

  it('was claimed and not started, or has not come while events wait for it, or has an event held back', async () => {
    const { db } = world;
    const [claimed, awaited] = [world.id('claimed'), world.id('awaited')];
    await db
      .insertInto('ledger')
      .values({ order_id: claimed, state: 'claimed', claimed_at: new Date(0) })
      .execute();
    await db
      .insertInto('ledger')
      .values({ order_id: awaited, state: 'awaited', awaited_at: new Date(0) })
      .execute();
    const record = { record_topic: 't', record_partition: 0, record_offset: 0, record_time: new Date(0) };
    const message = JSON.stringify({});
    const event = { order_id: awaited, event_id: 'e', message, deadline: new Date(86_400_000), record_headers: '{}' };
    await db
      .insertInto('parked_events')
      .values({ ...event, ...record })
      .execute();
    const held = await start('held');
    await world.until(held, isBooked);
    const reason = { held_reason: 'OMS_KAFKA_RECORD_TOO_LARGE: it is too large' };
    await db.updateTable('outbox').set(reason).where('order_id', '=', held).where('version', '=', 1).execute();
    expect(await find(claimed)).toMatchObject({ waitsFor: 'start', actions: [] });
    expect(await find(awaited)).toMatchObject({ waitsFor: 'order', reason: expect.stringContaining('1 events wait') });
    expect(await find(held)).toMatchObject({ waitsFor: 'publisher', reason: expect.stringContaining('TOO_LARGE') });
    for (const id of [claimed, awaited, held]) await expect(act(id, 'retry')).rejects.toMatchObject(refusal);
    await expect(act(world.id('nobody'), 'retry')).rejects.toMatchObject({ code: 'OMS_ORDER_UNKNOWN' });
  });
});

describe('oms orders stuck', () => {
  const ENTRY = path.join(import.meta.dirname, '..', '..', 'cli', 'oms.js');
  const oms = async (...words: string[]): Promise<{ code: number; out: string; told: string }> => {
    const settings = { DATABASE_URL: world.url, OMS_PREFIX: world.prefix, OMS_STATE_DIR: '.oms/none' };
    const env = { ...process.env, ...testEnvironment(), ...settings };
    const line = [ENTRY, 'orders', ...words];
    return promisify(execFile)(process.execPath, line, { env }).then(
      ({ stdout }) => ({ code: 0, out: stdout, told: '' }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, out: '', told: stderr }),
    );
  };

  it('lists those that wait for so long, and refuses what is not safe with a code', async () => {
    const { code, out } = await oms('stuck', '--older-than', '1h', '--json');
    const listed = JSON.parse(out) as { orderId: string }[];
    expect({ code, ids: listed.map(({ orderId }) => orderId) }).toEqual({
      code: 0,
      ids: [world.id('awaited'), world.id('claimed')],
    });
    const skip = await oms('stuck', 'skip', world.id('claimed'), '--json');
    expect({ code: skip.code, told: skip.told }).toEqual({ code: 1, told: expect.stringContaining(refusal.code) });
    const retry = await oms('stuck', 'retry', world.id('claimed'), '--why', 'a test');
    expect(retry).toMatchObject({ code: 1, told: expect.stringContaining('does `oms ingest` run?') });
  });

  it('leaves its decisions where the order is shown: what, who and why', async () => {
    const { out } = await oms('show', world.id('fail'));
    expect(out).toMatch(/operator: fail +tester +the carrier has gone out of business/);
  });
});
