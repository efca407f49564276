import type { WorkflowHandle } from '@temporalio/client';
import type { OrderInput, OrderResult } from '../../domain/contract.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { isAsked, isRestBooked } from './order-states.ts';
import { waitFor } from './wait.ts';
import type { WorkflowWorld } from './workflow-world.ts';

type Handle = WorkflowHandle<(input: OrderInput) => Promise<OrderResult>>;

/** Plays one way an order can go, to its end or shortly before. */
type Story = (world: WorkflowWorld, name: string) => Promise<Handle>;

const message = (fields: Record<string, unknown>): LifecycleMessage =>
  ({ v: 1, eventId: 'event-1', ...fields }) as unknown as LifecycleMessage;
const CANCEL = message({ kind: 'cancel', reason: 'changed my mind', fulfillmentId: null });

const FAIL = message({
  ...{ kind: 'cancel', eventId: 'operator/fail/1', fulfillmentId: null, as: 'failed' },
  reason: 'could not be carried out',
});

/** Stock of SKUs that belong to this story alone: one in the east, one in the west, one nowhere. */
async function goods(world: WorkflowWorld, name: string) {
  const [east, west] = [`${name}-east`, `${name}-west`];
  await world.stock([
    { warehouse: 'east', sku: east, onHand: 10 },
    { warehouse: 'west', sku: west, onHand: 10 },
  ]);
  return { east: { sku: east }, west: { sku: west }, none: { sku: `${name}-none` } };
}

/** The ways an order can go, by name; the names are those of the recorded files. */
export const RECORDED_STORIES: Readonly<Record<string, Story>> = {
  'one-shipment': async (world, name) => {
    const id = world.id(name);
    const handle = await world.start(id, [(await goods(world, name)).east]);
    await world.until(id, isRestBooked);
    await world.hear('dispatched', `${id}:1`);
    await world.hear('delivered', `${id}:1`);
    return handle;
  },

  'two-shipments': async (world, name) => {
    const id = world.id(name);
    const { east, west } = await goods(world, name);
    const handle = await world.start(id, [east, west]);
    await world.until(id, isRestBooked);
    await world.hear('delivered', `${id}:1`, `${id}:2`);
    return handle;
  },

  'customer-amends': async (world, name) => {
    const id = world.id(name);
    const { east, none } = await goods(world, name);
    const handle = await world.start(id, [east, none]);
    await world.until(id, isAsked);
    await world.signal(id, message({ kind: 'customerAction', action: 'amend' }));
    await world.until(id, isRestBooked);
    await world.hear('delivered', `${id}:2`);
    return handle;
  },

  'customer-cancels': async (world, name) => {
    const id = world.id(name);
    const { east, none } = await goods(world, name);
    const handle = await world.start(id, [east, none]);
    await world.until(id, isAsked);
    await world.signal(id, message({ kind: 'customerAction', action: 'cancel' }));
    return handle;
  },

  'customer-times-out': async (world, name) => {
    const { east, none } = await goods(world, name);
    const timers = { customerActionMs: 300, carrierOverdueMs: 60_000 };
    return world.start(world.id(name), [east, none], { timers });
  },

  'payment-declined': async (world, name) => {
    const id = world.id(name);
    await world.refuse({ charge: `${id}:1` });
    return world.start(id, [(await goods(world, name)).east]);
  },

  'booking-refused': async (world, name) => {
    const id = world.id(name);
    await world.refuse({ booking: `${id}:1` });
    return world.start(id, [(await goods(world, name)).east]);
  },

  'payment-provider-away': async (world, name) => {
    const id = world.id(name);
    world.away.payment = true;
    const handle = await world.start(id, [(await goods(world, name)).east]);
    await world.until(id, ({ waitingFor }) => waitingFor === 'payment');
    world.away.payment = false;
    await world.until(id, isRestBooked);
    await world.hear('delivered', `${id}:1`);
    return handle;
  },

  'cancelled-before-charge': async (world, name) => {
    const { east } = await goods(world, name);
    return world.start(world.id(name), [east], { parked: [CANCEL] });
  },

  'cancelled-while-charging': async (world, name) => {
    const id = world.id(name);
    world.away.payment = true;
    const handle = await world.start(id, [(await goods(world, name)).east]);
    await world.until(id, ({ waitingFor }) => waitingFor === 'payment');
    await world.signal(id, CANCEL);
    await world.until(id, ({ waitingFor }) => waitingFor === 'refund');
    world.away.payment = false;
    return handle;
  },

  // As `oms orders stuck fail` asks for it.
  'failed-while-charging': async (world, name) => {
    const id = world.id(name);
    world.away.payment = true;
    const handle = await world.start(id, [(await goods(world, name)).east]);
    await world.until(id, ({ waitingFor }) => waitingFor === 'payment');
    await world.signal(id, FAIL);
    await world.until(id, ({ waitingFor }) => waitingFor === 'refund');
    world.away.payment = false;
    return handle;
  },

  'failed-after-booking': async (world, name) => {
    const id = world.id(name);
    const { east, west } = await goods(world, name);
    const handle = await world.start(id, [east, west]);
    await world.until(id, isRestBooked);
    await world.signal(id, FAIL);
    return handle;
  },

  'cancelled-after-booking': async (world, name) => {
    const id = world.id(name);
    const { east, west } = await goods(world, name);
    const handle = await world.start(id, [east, west]);
    await world.until(id, isRestBooked);
    await world.signal(id, CANCEL);
    return handle;
  },

  'cancelled-too-late': async (world, name) => {
    const id = world.id(name);
    const handle = await world.start(id, [(await goods(world, name)).east]);
    await world.until(id, isRestBooked);
    await world.hear('dispatched', `${id}:1`);
    await world.signal(id, CANCEL);
    await world.hear('delivered', `${id}:1`);
    return handle;
  },

  'cancelled-in-temporal': async (world, name) => {
    const id = world.id(name);
    const handle = await world.start(id, [(await goods(world, name)).east]);
    await world.until(id, isRestBooked);
    await handle.cancel();
    return handle;
  },

  'messages-refused': async (world, name) => {
    const id = world.id(name);
    const handle = await world.start(id, [(await goods(world, name)).east]);
    await world.until(id, isRestBooked);
    await world.signal(id, message({ kind: 'amend', items: null, shipTo: null }));
    await world.signal(id, message({ v: 99, kind: 'cancel', eventId: 'event-2' }));
    await world.hear('delivered', `${id}:1`);
    return handle;
  },

  'carrier-overdue': async (world, name) => {
    const id = world.id(name);
    const timers = { customerActionMs: 60_000, carrierOverdueMs: 300 };
    const handle = await world.start(id, [(await goods(world, name)).east], { timers });
    await world.until(id, isRestBooked);
    await world.arrive(`${id}:1`);
    return handle;
  },

  fenced: async (world, name) => {
    const id = world.id(name);
    await world.place(id, [(await goods(world, name)).east]);
    await world.db.updateTable('ledger').set({ run_id: 'another-run' }).where('order_id', '=', id).execute();
    return world.run(id);
  },

  amended: async (world, name) => {
    const id = world.id(name);
    const { east, none } = await goods(world, name);
    const handle = await world.start(id, [{ ...east, quantity: 3 }, none]);
    await world.until(id, isAsked);
    const items = [{ ...east, quantity: 1, unitPrice: null, description: null }];
    await world.signal(id, message({ kind: 'amend', items, shipTo: null }));
    await world.until(id, isRestBooked);
    await world.hear('delivered', `${id}:2`);
    return handle;
  },

  'promises-broken': async (world, name) => {
    const id = world.id(name);
    const timers = { customerActionMs: 60_000, carrierOverdueMs: 60_000, shipByMs: 300, deliverByMs: 600 };
    const handle = await world.start(id, [(await goods(world, name)).east], { timers });
    await world.until(id, isRestBooked);
    await waitFor('both delays', async () => (await world.toldTypes(id))['ShipmentDelayed'] === 2);
    await world.hear('delivered', `${id}:1`);
    return handle;
  },

  'reservation-expired': async (world, name) => {
    const id = world.id(name);
    world.away.payment = true;
    const timers = { customerActionMs: 60_000, carrierOverdueMs: 60_000, reservationMs: 300 };
    const handle = await world.start(id, [(await goods(world, name)).east], { timers });
    await world.until(id, ({ waitingFor }) => waitingFor === 'refund');
    world.away.payment = false;
    return handle;
  },

  returned: async (world, name) => {
    const id = world.id(name);
    const handle = await world.start(id, [(await goods(world, name)).east]);
    await world.until(id, isRestBooked);
    await world.hear('deliveryFailed', `${id}:1`);
    await world.hear('returnedToSender', `${id}:1`);
    return handle;
  },
};

/** Ways of orders whose money is taken at hand-over. */
export const CAPTURE_STORIES: Readonly<Record<string, Story>> = {
  'captured-at-handover': async (world, name) => {
    const id = world.id(name);
    const { east, west } = await goods(world, name);
    const handle = await world.start(id, [east, west]);
    await world.until(id, isRestBooked);
    await world.hear('dispatched', `${id}:1`);
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.payment === 'success');
    await world.hear('delivered', `${id}:1`, `${id}:2`);
    return handle;
  },

  'hold-runs-out': async (world, name) => {
    const id = world.id(name);
    const timers = { customerActionMs: 60_000, carrierOverdueMs: 60_000, paymentHoldMs: 300 };
    return world.start(id, [(await goods(world, name)).east], { timers });
  },
};
