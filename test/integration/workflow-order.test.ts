import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OrderState } from '../../domain/contract.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld();
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'west', sku: 'w', onHand: 1_000 },
  ]);
});
afterAll(() => world.drop());

const TWO_SHIPMENTS = [{ sku: 'e' }, { sku: 'w' }];
const withCarrier = ({ fulfillments }: OrderState): boolean =>
  fulfillments?.every(({ shipment }) => shipment === 'booked') ?? false;
const order = (orderId: string) =>
  world.db.selectFrom('orders').selectAll().where('order_id', '=', orderId).executeTakeFirstOrThrow();
const ledger = (orderId: string) =>
  world.db.selectFrom('ledger').selectAll().where('order_id', '=', orderId).executeTakeFirstOrThrow();

describe('An order', () => {
  it('of two shipments is charged, booked, delivered and closed in one execution of at most 60 events', async () => {
    const id = world.id('straight');
    const handle = await world.start(id, TWO_SHIPMENTS);
    const [one, two] = [`${id}:1`, `${id}:2`];
    expect(await world.until(id, withCarrier)).toMatchObject({ id, status: 'processing', waitingFor: 'carrier' });
    await world.hear('dispatched', one, two);
    await world.hear('delivered', one, two);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await order(id)).toMatchObject({ status: 'completed', closed_at: expect.any(Date) as unknown });
    expect(await ledger(id)).toMatchObject({ state: 'closed' });
    expect(await world.toldTypes(id)).toEqual({
      InvoiceIssued: 2,
      InvoicePaid: 2,
      ShipmentBooked: 2,
      ShipmentDispatched: 2,
      Delivered: 2,
    });
    const { events } = await handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(60);
    expect(events?.some((event) => event.workflowExecutionContinuedAsNewEventAttributes)).toBe(false);
  });

  it('whose payment is declined for one shipment delivers the other and is partially completed', async () => {
    const id = world.id('partly');
    await world.refuse({ charge: `${id}:2` });
    const handle = await world.start(id, TWO_SHIPMENTS);
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.shipment === 'booked');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'partiallyCompleted' });
    expect(await world.toldTypes(id)).toMatchObject({ InvoicePaid: 1, PaymentFailed: 1, Delivered: 1 });
  });

  it('whose carrier refuses gets its money back, its stock is free again, and it has failed', async () => {
    const id = world.id('no-carrier');
    await world.refuse({ booking: `${id}:1` });
    const before = await world.stockOf('e');
    const handle = await world.start(id, [{ sku: 'e', quantity: 5 }]);
    expect(await handle.result()).toEqual({ status: 'failed' });
    expect(await world.charged(`${id}:1`)).toEqual({ taken: 6_500, refunded: 6_500 });
    expect(await world.stockOf('e')).toEqual(before);
    expect(await world.toldTypes(id)).toMatchObject({ InvoicePaid: 1, InvoiceRefunded: 1 });
  });

  it('that the carrier calls off by itself gets its money back and has failed', async () => {
    const id = world.id('called-off');
    const handle = await world.start(id, [{ sku: 'e' }]);
    await world.until(id, withCarrier);
    await world.hear('cancelled', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'failed' });
    expect(await world.charged(`${id}:1`)).toEqual({ taken: 1_700, refunded: 1_700 });
    expect(await world.toldTypes(id)).toMatchObject({ ShipmentCancelled: 1, InvoiceRefunded: 1 });
  });

  it('waits as long as a provider is away, and is charged once', async () => {
    const id = world.id('patient');
    world.away.payment = true;
    const handle = await world.start(id, [{ sku: 'e' }]);
    await world.until(id, ({ waitingFor }) => waitingFor === 'payment');
    world.away.payment = false;
    await world.until(id, withCarrier);
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    const calls = world.db.selectFrom('simulated_calls').select('outcome').where('key', '=', `${id}:1`);
    expect(await calls.where('operation', '=', 'charge').execute()).toEqual([{ outcome: 'approved' }]);
  });

  it('whose carrier is silent for too long asks it', async () => {
    const id = world.id('overdue');
    const timers = { customerActionMs: 60_000, carrierOverdueMs: 500 };
    const handle = await world.start(id, [{ sku: 'e' }], { timers });
    await world.until(id, withCarrier);
    await world.arrive(`${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
  });

  it('that another run has taken is left alone', async () => {
    const id = world.id('fenced');
    await world.place(id, [{ sku: 'e' }]);
    await world.db.updateTable('ledger').set({ run_id: 'another-run' }).where('order_id', '=', id).execute();
    const handle = await world.run(id);
    expect(await handle.result()).toEqual({ status: 'fenced' });
    expect(await world.told(id)).toEqual([]);
  });
});
