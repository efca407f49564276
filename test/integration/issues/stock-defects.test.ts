import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ALLOCATION_STRATEGIES } from '../../../domain/allocation.ts';
import type { AllocationName } from '../../../domain/allocation.ts';
import type { OrderState } from '../../../domain/contract.ts';
import type { LifecycleMessage } from '../../../domain/order-messages.ts';
import { isAsked } from '../../helpers/order-states.ts';
import { createWorkflowWorld } from '../../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../../helpers/workflow-world.ts';

/** As if workers were started anew with another OMS_ALLOCATION, between any two steps. */
let inForce: AllocationName;
let world: WorkflowWorld;

const WAREHOUSES = ['Warehouse A', 'Warehouse B'];
const SKUS = ['Nike', 'Vans'];

beforeAll(async () => {
  const strategy = {
    get keepsStock() {
      return ALLOCATION_STRATEGIES[inForce].keepsStock;
    },
    allocate: (...given: Parameters<(typeof ALLOCATION_STRATEGIES)['reference']['allocate']>) =>
      ALLOCATION_STRATEGIES[inForce].allocate(...given),
  };
  world = await createWorkflowWorld({ strategy });
  // Each warehouse has one of the two, so that an order of both is two shipments by either rule.
  await world.stock(WAREHOUSES.map((warehouse, i) => ({ warehouse, sku: SKUS[i] ?? '', onHand: 100 })));
});
afterAll(() => world.drop());
beforeEach(() => {
  inForce = 'fewest-shipments';
});

const BOTH = [{ sku: 'Nike', quantity: 3 }, { sku: 'Vans' }];
const stockRows = () => world.db.selectFrom('stock').selectAll().orderBy('sku').execute();
const pieces = async (key: 'reserved' | 'on_hand') => (await stockRows()).map((row) => row[key]);
const isBooked = ({ fulfillments }: OrderState): boolean =>
  (fulfillments ?? []).length > 0 && (fulfillments ?? []).every(({ shipment }) => shipment === 'booked');
const act = (orderId: string, action: 'amend' | 'cancel') =>
  world.signal(orderId, { v: 1, kind: 'customerAction', eventId: `${orderId}/${action}`, action });
const cancel: (orderId: string) => LifecycleMessage = (orderId) => ({
  ...{ v: 1, kind: 'cancel', eventId: `${orderId}/cancel` },
  ...{ reason: null, fulfillmentId: null },
});
const SOON = { timers: { customerActionMs: 300, carrierOverdueMs: 600_000 } };

describe('Reserved items that were not released when an order was given up', () => {
  type Ending = [what: string, status: string, give: (orderId: string) => Promise<{ result(): Promise<unknown> }>];
  const start = (id: string, sku?: string, input = {}) =>
    world.start(id, [...BOTH, ...(sku === undefined ? [] : [{ sku }])], input);
  const ENDINGS: Ending[] = [
    [
      'the customer cancels when asked',
      'cancelled',
      async (id) => {
        const handle = await start(id, 'sold-out');
        await world.until(id, isAsked);
        await act(id, 'cancel');
        return handle;
      },
    ],
    ['the customer does not answer in time', 'timedOut', (id) => start(id, 'sold-out', SOON)],
    [
      'the payments are declined',
      'failed',
      async (id) => {
        for (const n of [1, 2]) await world.refuse({ charge: `${id}:${n}` });
        return start(id);
      },
    ],
    [
      'the carrier refuses the shipments',
      'failed',
      async (id) => {
        for (const n of [1, 2]) await world.refuse({ booking: `${id}:${n}` });
        return start(id);
      },
    ],
    [
      'the carrier calls the shipments off',
      'failed',
      async (id) => {
        const handle = await start(id);
        await world.until(id, isBooked);
        await world.hear('cancelled', `${id}:1`, `${id}:2`);
        return handle;
      },
    ],
    [
      'it is cancelled after booking',
      'cancelled',
      async (id) => {
        const handle = await start(id);
        await world.until(id, isBooked);
        await world.signal(id, cancel(id));
        return handle;
      },
    ],
  ];

  it.each(ENDINGS)('are free again when %s', async (what, status, give) => {
    const before = [await pieces('reserved'), await pieces('on_hand')];
    const handle = await give(world.id(`release-${what.replaceAll(' ', '-')}`));
    expect(await handle.result()).toEqual({ status });
    expect([await pieces('reserved'), await pieces('on_hand')]).toEqual(before);
  });
});

describe.each(['fewest-shipments', 'reference'] as const)(
  'An order of which all items are unavailable, split by %s, where the reference panics and cancels are ignored',
  (name) => {
    const ALL_UNAVAILABLE = [{ sku: 'Adidas Classic', quantity: 2 }, { sku: 'Adidas Low' }];
    beforeEach(() => {
      inForce = name;
    });

    it('asks its customer, with all items in one part', async () => {
      const id = world.id(`none-${name}`);
      const handle = await world.start(id, ALL_UNAVAILABLE);
      const { fulfillments } = await world.until(id, isAsked);
      expect(fulfillments).toEqual([{ id: `${id}:1`, status: 'unavailable' }]);
      await act(id, 'cancel');
      expect(await handle.result()).toEqual({ status: 'cancelled' });
    });

    it('ends as cancelled when the customer goes on without them', async () => {
      const id = world.id(`none-amend-${name}`);
      const handle = await world.start(id, ALL_UNAVAILABLE);
      await world.until(id, isAsked);
      await act(id, 'amend');
      expect(await handle.result()).toEqual({ status: 'cancelled' });
    });

    it('times out when the customer does not answer', async () => {
      const handle = await world.start(world.id(`none-late-${name}`), ALL_UNAVAILABLE, SOON);
      expect(await handle.result()).toEqual({ status: 'timedOut' });
    });
  },
);

describe('An order split by the rule of the reference', () => {
  beforeEach(() => {
    inForce = 'reference';
  });

  it('is fulfilled without any stock, and touches none', async () => {
    const before = await stockRows();
    const id = world.id('simulated');
    const handle = await world.start(id, [
      { sku: 'unheard-of', quantity: 1_000_000 },
      { sku: 'Nike' },
      { sku: 'Vans' },
    ]);
    await world.until(id, isBooked);
    await world.hear('delivered', `${id}:1`, `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    const warehouses = world.db.selectFrom('fulfillments').select('warehouse').where('order_id', '=', id).orderBy('n');
    expect((await warehouses.execute()).map(({ warehouse }) => warehouse)).toEqual(WAREHOUSES);
    expect(await stockRows()).toEqual(before);
  });

  it('still touches none when it is cancelled, or delivered, after the setting was changed', async () => {
    const before = await stockRows();
    const [off, on] = [world.id('changed-off'), world.id('changed-on')];
    const handles = [await world.start(off, BOTH), await world.start(on, BOTH)];
    for (const id of [off, on]) await world.until(id, isBooked);
    inForce = 'fewest-shipments';
    await world.signal(off, cancel(off));
    await world.hear('delivered', `${on}:1`, `${on}:2`);
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([
      { status: 'cancelled' },
      { status: 'completed' },
    ]);
    expect(await stockRows()).toEqual(before);
  });

  it('does not keep an order in flight from giving back, or taking, the stock that it holds', async () => {
    inForce = 'fewest-shipments';
    const before = await pieces('on_hand');
    const [off, on] = [world.id('kept-off'), world.id('kept-on')];
    const handles = [await world.start(off, BOTH), await world.start(on, BOTH)];
    for (const id of [off, on]) await world.until(id, isBooked);
    expect(await pieces('reserved')).toEqual([6, 2]);
    inForce = 'reference';
    await world.signal(off, cancel(off));
    await world.hear('delivered', `${on}:1`, `${on}:2`);
    await Promise.all(handles.map((handle) => handle.result()));
    expect(await pieces('reserved')).toEqual([0, 0]);
    expect(await pieces('on_hand')).toEqual([(before[0] ?? 0) - 3, (before[1] ?? 0) - 1]);
  });
});
