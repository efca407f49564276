import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { setMaintenance } from '../../orders/money/spend.ts';
import { areBooked } from '../helpers/order-states.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

const GOODS = [
  { warehouse: 'east', sku: 'e', onHand: 1_000 },
  { warehouse: 'west', sku: 'w', onHand: 1_000 },
];
const TWO_SHIPMENTS = [{ sku: 'e' }, { sku: 'w' }];
const cancel = (): LifecycleMessage => ({ v: 1, kind: 'cancel', eventId: 'c1', reason: 'late', fulfillmentId: null });

describe('An order whose money is captured at hand-over', () => {
  let world: WorkflowWorld;
  beforeAll(async () => {
    world = await createWorkflowWorld({ paymentMode: 'capture-at-handover' });
    await world.stock(GOODS);
  });
  afterAll(() => world.drop());

  it('has it held until the carrier has the goods of a shipment, and taken then', async () => {
    const id = world.id('held');
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, areBooked);
    expect(await world.charged(`${id}:1`)).toEqual({ taken: 0, refunded: 0 });
    await world.hear('dispatched', `${id}:1`);
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.payment === 'success');
    expect(await world.charged(`${id}:1`)).toEqual({ taken: 1_700, refunded: 0 });
    expect(await world.charged(`${id}:2`)).toEqual({ taken: 0, refunded: 0 });
    await world.hear('delivered', `${id}:1`, `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await world.charged(`${id}:2`)).toEqual({ taken: 1_700, refunded: 0 });
    expect(await world.toldTypes(id)).toMatchObject({ InvoiceIssued: 2, PaymentAuthorized: 2, InvoicePaid: 2 });
  });

  it('cancelled in between, keeps what is underway and lets the rest go', async () => {
    const id = world.id('half');
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, areBooked);
    await world.hear('dispatched', `${id}:1`);
    await world.signal(id, cancel());
    await world.until(id, ({ fulfillments }) => fulfillments?.[1]?.payment === 'voided');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await world.charged(`${id}:1`)).toEqual({ taken: 1_700, refunded: 0 });
    expect(await world.charged(`${id}:2`)).toEqual({ taken: 0, refunded: 0 });
  });

  it('waits with the capture while the provider is away, and closes only when it is settled', async () => {
    const id = world.id('away');
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, areBooked);
    world.away.payment = true;
    await world.hear('delivered', `${id}:1`, `${id}:2`);
    await world.until(id, ({ waitingFor }) => waitingFor === 'capture');
    world.away.payment = false;
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await world.charged(`${id}:1`)).toEqual({ taken: 1_700, refunded: 0 });
  });
});

describe('A maintenance window', () => {
  let world: WorkflowWorld;
  beforeAll(async () => {
    world = await createWorkflowWorld();
    await world.stock(GOODS);
  });
  afterAll(() => world.drop());

  it('delays orders and fails none of them', async () => {
    const [before, during] = [world.id('before'), world.id('during')];
    const first = await world.start(before, TWO_SHIPMENTS);
    await world.until(before, areBooked);
    await setMaintenance(world.db, true);
    const second = await world.start(during, TWO_SHIPMENTS);
    await world.until(during, ({ waitingFor }) => waitingFor === 'payment');
    // What is paid goes on meanwhile.
    await world.hear('delivered', `${before}:1`, `${before}:2`);
    expect(await first.result()).toEqual({ status: 'completed' });
    expect(await world.charged(`${during}:1`)).toBeNull();
    await setMaintenance(world.db, false);
    await world.until(during, areBooked);
    await world.hear('delivered', `${during}:1`, `${during}:2`);
    expect(await second.result()).toEqual({ status: 'completed' });
    expect(await world.toldTypes(during)).toMatchObject({ InvoiceIssued: 2, InvoicePaid: 2 });
  });

  it('can be waited out by cancelling: nothing is charged', async () => {
    const id = world.id('given-up');
    await setMaintenance(world.db, true);
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, ({ waitingFor }) => waitingFor === 'payment');
    await world.signal(id, cancel());
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    await setMaintenance(world.db, false);
    expect(await world.charged(`${id}:1`)).toBeNull();
  });
});
