import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { orderWorkflowId } from '../../domain/ids.ts';
import { areBooked } from '../helpers/order-states.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';
import { waitFor } from '../helpers/wait.ts';

/** The largest invoice of the shop whose orders the demo plays has so many lines. */
const LINES = 1_114;
const WAREHOUSES = 40;
const UPDATES = 10;

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 1_000 }]);
});
afterAll(() => world.drop());

const skuOf = (line: number): string => `sku-${line}`;
const describeRun = async (id: string) => world.client.workflow.getHandle(orderWorkflowId(id)).describe();

describe('A long order', () => {
  it('of 1,114 lines in 40 shipments with 10 carrier updates each keeps a short history', async () => {
    const id = world.id('many-lines');
    const lines = Array.from({ length: LINES }, (_, i) => i);
    await world.stock(lines.map((n) => ({ warehouse: `w-${n % WAREHOUSES}`, sku: skuOf(n), onHand: 10 })));
    const handle = await world.start(
      id,
      lines.map((n) => ({ sku: skuOf(n) })),
    );
    const { fulfillments } = await world.until(id, areBooked);
    const ids = (fulfillments ?? []).map((f) => f.id);
    expect(ids).toHaveLength(WAREHOUSES);
    await world.hear('dispatched', ...ids);
    for (let update = 3; update < UPDATES; update++) await world.hear('dispatched', ...ids);
    await world.hear('delivered', ...ids);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect((await describeRun(id)).historyLength).toBeLessThan(100);
    expect(await world.toldTypes(id)).toMatchObject({
      InvoicePaid: WAREHOUSES,
      ShipmentDispatched: WAREHOUSES,
      Delivered: WAREHOUSES,
    });
  });

  it('whose history grows goes on in a new one: still the same order, events numbered on, no message handled twice', async () => {
    const id = world.id('long-wait');
    const handle = await world.start(id, [{ sku: 'e' }], { historyLimit: 20 });
    await world.until(id, areBooked);
    const first = (await describeRun(id)).runId;
    const action = { v: 1, kind: 'customerAction', action: 'amend' } as const;
    await waitFor('a new history', async () => {
      for (const eventId of ['e-1', 'e-2']) await world.signal(id, { ...action, eventId });
      await handle.signal('ShipmentStatusUpdated', { shipmentID: `${id}:1`, status: 'booked', updatedAt: '' });
      return (await describeRun(id)).runId !== first;
    });
    for (const eventId of ['e-1', 'e-2']) await world.signal(id, { ...action, eventId });
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    const events = await world.db.selectFrom('ledger_events').selectAll().where('order_id', '=', id).execute();
    expect(events.map(({ event_id, outcome }) => `${event_id} ${outcome}`).sort()).toEqual([
      'e-1 refused',
      'e-2 refused',
    ]);
    const versions = await world.db
      .selectFrom('outbox')
      .select('version')
      .where('order_id', '=', id)
      .orderBy('version')
      .execute();
    expect(versions.map(({ version }) => version)).toEqual(versions.map((_, i) => i + 1));
    expect(await world.toldTypes(id)).toMatchObject({ InvoicePaid: 1, ShipmentBooked: 1, Delivered: 1 });
  });
});
