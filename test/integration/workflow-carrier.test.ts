import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';
import { waitFor } from '../helpers/wait.ts';
import { waitBefore } from '../../workers/activities/failures.ts';

const HOUR_MS = 3_600_000;
/** Longest wait between two attempts in the deployment whose hour is played here. */
const LIMIT_MS = 600_000;
let failures = 0;
let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld({
    // As many attempts as in an hour, closer together.
    retryLimitMs: { OMS_CARRIER_UNAVAILABLE: 20 },
    onFailure: (activity, code) => {
      if (activity === 'bookShipments' && code === 'OMS_CARRIER_UNAVAILABLE') failures++;
    },
  });
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'west', sku: 'w', onHand: 1_000 },
  ]);
});
afterEach(() => void (world.away.carrier = false));
afterAll(() => world.drop());

/** How often an outage of so long is met, with waits that double up to the limit. */
function attemptsWithin(ms: number): number {
  let attempts = 1;
  for (let waited = 0; waited < ms; attempts++) waited += waitBefore(attempts + 1, LIMIT_MS);
  return attempts;
}

describe('The order workflow and its carrier', () => {
  it('a carrier that is down for an hour delays the order and nothing else', async () => {
    const [id, other] = [world.id('down'), world.id('meanwhile')];
    const before = await world.stockOf('e');
    world.away.carrier = true;
    const handle = await world.start(id, [{ sku: 'e', quantity: 2 }]);
    await waitFor('an hour of attempts', () => failures >= attemptsWithin(HOUR_MS));
    const waiting = await world.until(id, ({ waitingFor }) => waitingFor === 'booking');
    expect(waiting).toMatchObject({
      status: 'processing',
      fulfillments: [{ payment: 'success', shipment: 'pending' }],
    });
    expect((await world.stockOf('e'))['east']?.reserved).toBe((before['east']?.reserved ?? 0) + 2);
    // Who needs no carrier is served meanwhile.
    const cancelled = await world.start(other, [{ sku: 'nowhere' }], {
      timers: { customerActionMs: 1, carrierOverdueMs: 1 },
    });
    expect(await cancelled.result()).toEqual({ status: 'timedOut' });
    world.away.carrier = false;
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.shipment === 'booked');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await world.toldTypes(id)).toMatchObject({
      ...{ InvoiceIssued: 1, InvoicePaid: 1 },
      ...{ ShipmentBooked: 1, ShipmentDispatched: 1, Delivered: 1 },
    });
    const { taken, refunded } = (await world.charged(`${id}:1`)) ?? {};
    expect(refunded).toBe(0);
    expect(taken).toBeGreaterThan(0);
    const bookings = world.db.selectFrom('simulated_calls').select('outcome').where('key', '=', `${id}:1`);
    expect(await bookings.where('operation', '=', 'book').execute()).toEqual([{ outcome: 'booked' }]);
    const after = await world.stockOf('e');
    expect(after['east']).toEqual({ onHand: (before['east']?.onHand ?? 0) - 2, reserved: before['east']?.reserved });
  });

  it('waits through a failed delivery, and completes with the second attempt', async () => {
    const id = world.id('second');
    const handle = await world.start(id, [{ sku: 'e' }]);
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.shipment === 'booked');
    await world.hear('deliveryFailed', `${id}:1`);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await world.toldTypes(id)).toMatchObject({ DeliveryFailed: 1, Delivered: 1 });
  });

  it('gives the money for what came back back at once, while the other shipment is still on its way', async () => {
    const id = world.id('returned');
    const before = await world.stockOf('e');
    const handle = await world.start(id, [{ sku: 'e', quantity: 4 }, { sku: 'w' }]);
    await world.until(id, ({ fulfillments }) => fulfillments?.every(({ shipment }) => shipment === 'booked') ?? false);
    await world.hear('deliveryFailed', `${id}:1`);
    await world.hear('returnedToSender', `${id}:1`);
    const isRefunded = async () => {
      const charge = await world.charged(`${id}:1`);
      return charge !== null && charge.taken > 0 && charge.refunded === charge.taken;
    };
    await waitFor('the refund', isRefunded);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await world.hear('delivered', `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'partiallyCompleted' });
    expect(await world.charged(`${id}:2`)).toMatchObject({ refunded: 0 });
    expect((await world.stockOf('e'))['east']).toEqual(before['east']);
    expect(await world.toldTypes(id)).toMatchObject({ DeliveryFailed: 1, ReturnedToSender: 1, Delivered: 1 });
  });

  it('fails an order of which everything came back', async () => {
    const id = world.id('all-back');
    const handle = await world.start(id, [{ sku: 'e' }]);
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.shipment === 'booked');
    await world.hear('returnedToSender', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'failed' });
    const charge = await world.charged(`${id}:1`);
    expect(charge?.refunded).toBe(charge?.taken);
  });

  it('gives up what the carrier has called off, with its money and its stock', async () => {
    const id = world.id('called-off');
    const before = await world.stockOf('e');
    const handle = await world.start(id, [{ sku: 'e' }, { sku: 'w' }]);
    await world.until(id, ({ fulfillments }) => fulfillments?.every(({ shipment }) => shipment === 'booked') ?? false);
    await world.hear('cancelled', `${id}:1`);
    await waitFor('the refund', async () => ((await world.charged(`${id}:1`))?.refunded ?? 0) > 0);
    expect((await world.stockOf('e'))['east']).toEqual(before['east']);
    await world.hear('delivered', `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'partiallyCompleted' });
  });
});
