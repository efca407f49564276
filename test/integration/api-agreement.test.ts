import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { createDeployment, ROLES } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { eventsOf, numberingFaults, withoutRepeats } from '../helpers/end-state.ts';
import { openTwoWays } from '../helpers/two-ways.ts';
import type { Move, TwoWays, Way } from '../helpers/two-ways.ts';
import { waitFor } from '../helpers/wait.ts';

/** The rule of the reference: `Adidas` is unavailable, the first line ships from one warehouse, the rest from another. */
const SETTINGS = {
  OMS_ALLOCATION: 'reference',
  OMS_SIM_CARRIER_NEWS: 'none',
  OMS_SIM_CARRIER_LATENCY: '0 ms',
  OMS_SIM_PAYMENT_LATENCY: '0 ms',
  OMS_CUSTOMER_ACTION_TIMEOUT: '1 h',
  OMS_TOPIC_PARTITIONS: '2',
};
const OURS = 'ledger,temporal,outbox,topics,input,stock,money';
const RUNS = process.env.OMS_TEST_LONG ? 25 : 3;
const HANGS_AFTER_MS = 10 * 60_000;

interface Order {
  orderId: string;
  status: string;
  fulfillments: {
    id: string;
    status: string;
    warehouse: string | null;
    items: object[];
    invoice: { total: number } | null;
    payment: { status: string; captured: number; refunded: number } | null;
    shipment: { status: string } | null;
  }[];
}

let deployment: Deployment;
let ways: TwoWays;
beforeAll(async () => {
  deployment = await createDeployment(SETTINGS);
  await Promise.all(ROLES.map((role) => deployment.start(role)));
  ways = await openTwoWays(deployment);
}, HANGS_AFTER_MS);
afterAll(async () => {
  await ways?.close();
  await deployment?.drop();
});

const read = (orderId: string): Promise<Order> => ways.get<Order>(`/v1/orders/${orderId}`);
const until = (orderId: string, what: string, holds: (order: Order) => boolean): Promise<Order> =>
  waitFor(`${orderId} to be ${what}`, async () => {
    const order = await read(orderId);
    return order.fulfillments !== undefined && holds(order) && order;
  });
const isStatus = (status: string) => (order: Order) => order.status === status;
const hasShipments = (status: string, n: number) => (order: Order) =>
  order.fulfillments.filter(({ shipment }) => shipment?.status === status).length === n;

/** A move, and what the order has come to before the next. */
type Step = [Move, string, (order: Order) => boolean];
const place = (...skus: string[]): Move => ({ kind: 'place', skus });
const news = (status: 'dispatched' | 'delivered', shipment = 1): Move => ({ kind: 'news', status, shipment });

const STORIES: Record<string, Step[]> = {
  'delivered in two shipments': [
    [place('first', 'second'), 'booked', hasShipments('booked', 2)],
    [news('dispatched', 1), 'on its way', hasShipments('dispatched', 1)],
    [news('delivered', 1), 'half delivered', hasShipments('delivered', 1)],
    [news('delivered', 2), 'completed', isStatus('completed')],
  ],
  'gone on with without what is unavailable': [
    [place('first', 'Adidas'), 'waiting', isStatus('customerActionRequired')],
    [{ kind: 'action', action: 'amend' }, 'booked', hasShipments('booked', 1)],
    [news('dispatched', 2), 'on its way', hasShipments('dispatched', 1)],
    [news('delivered', 2), 'completed', isStatus('completed')],
  ],
  'given up by its customer': [
    [place('first', 'Adidas'), 'waiting', isStatus('customerActionRequired')],
    [{ kind: 'action', action: 'cancel' }, 'cancelled', isStatus('cancelled')],
  ],
  'amended while it waits': [
    [place('first', 'Adidas'), 'waiting', isStatus('customerActionRequired')],
    [{ kind: 'amend', quantity: 1 }, 'booked', hasShipments('booked', 1)],
    [news('delivered', 2), 'completed', isStatus('completed')],
  ],
  'cancelled after its booking': [
    [place('first', 'second'), 'booked', hasShipments('booked', 2)],
    [{ kind: 'cancel' }, 'cancelled', isStatus('cancelled')],
  ],
};

/** All that tells one order from another taken away. */
function endOf({ orderId, status, fulfillments }: Order): object {
  const parts = fulfillments.map(({ id, invoice, payment, shipment, ...rest }) => ({
    ...{ n: id.slice(orderId.length), status: rest.status, warehouse: rest.warehouse, items: rest.items },
    total: invoice?.total ?? null,
    payment: payment && { status: payment.status, captured: payment.captured, refunded: payment.refunded },
    shipment: shipment?.status ?? null,
  }));
  return { status, parts };
}

async function tell(steps: readonly Step[], wayOf: (step: number) => Way): Promise<object> {
  const orderId = `story-${randomUUID()}`;
  for (const [i, [move, what, holds]] of steps.entries()) {
    const { status } = await ways.say(orderId, move, wayOf(i));
    if (status !== null) expect([200, 201, 202]).toContain(status);
    await until(orderId, what, holds);
  }
  await closed(orderId);
  return endOf(await read(orderId));
}

const closed = (orderId: string) =>
  waitFor(`${orderId} to be closed`, async () => {
    const query = deployment.db.selectFrom('ledger').select('state').where('order_id', '=', orderId);
    return (await query.executeTakeFirst())?.state === 'closed';
  });

describe('What is said over HTTP and what is said by topic', () => {
  it.each(Object.entries(STORIES))(
    'come to the same: an order %s',
    async (_name, steps) => {
      const [http, topic, one, other] = await Promise.all([
        tell(steps, () => 'http'),
        tell(steps, () => 'topic'),
        tell(steps, (i) => (i % 2 === 0 ? 'http' : 'topic')),
        tell(steps, (i) => (i % 2 === 0 ? 'topic' : 'http')),
      ]);
      expect([topic, one, other]).toEqual([http, http, http]);
    },
    HANGS_AFTER_MS,
  );
});

const anyMove: fc.Arbitrary<Move> = fc.oneof(
  fc.constantFrom(['first'], ['first', 'second'], ['first', 'Adidas']).map((skus): Move => ({ kind: 'place', skus })),
  fc.constantFrom<Move>(
    { kind: 'cancel' },
    { kind: 'action', action: 'amend' },
    { kind: 'action', action: 'cancel' },
    { kind: 'amend', quantity: 1 },
  ),
  fc.record({
    kind: fc.constant('news' as const),
    shipment: fc.constantFrom(1, 2),
    status: fc.constantFrom('dispatched' as const, 'delivered' as const),
  }),
);
const saying = fc.record({
  order: fc.nat({ max: 2 }),
  move: anyMove,
  way: fc.constantFrom<Way>('http', 'topic'),
  twice: fc.boolean(),
});

/** Brings every order of the run that was placed to its end, whatever was said of it. */
async function finish(ids: readonly string[]): Promise<string[]> {
  const placed: string[] = [];
  await waitFor('ingest to have read all', async () => (await unsent()) === 0 && (await deployment.lag()) === 0);
  for (const id of ids) {
    const row = deployment.db.selectFrom('ledger').select('state').where('order_id', '=', id);
    const state = (await row.executeTakeFirst())?.state;
    if (state === undefined || state === 'awaited') continue;
    placed.push(id);
    await until(id, 'at its end', (order) => {
      if (order.status === 'customerActionRequired') void ways.say(id, { kind: 'action', action: 'cancel' }, 'http');
      for (const { id: shipment, shipment: at } of order.fulfillments) {
        if (at?.status !== 'booked' && at?.status !== 'dispatched') continue;
        void ways.say(id, news('delivered', Number(shipment.slice(id.length + 1))), 'http');
      }
      return ['completed', 'partiallyCompleted', 'cancelled', 'failed', 'timedOut'].includes(order.status);
    });
    await closed(id);
  }
  return placed;
}

const unsent = async (): Promise<number> =>
  (await deployment.db.selectFrom('outbox').select('id').where('sent_at', 'is', null).execute()).length;

describe('Whatever is said, and by whichever way', () => {
  it(
    'API, ledger and topics agree in the end, and nothing is answered with a fault of ours',
    async () => {
      const taken: string[] = [];
      await fc.assert(
        fc.asyncProperty(fc.array(saying, { minLength: 4, maxLength: 16 }), async (said) => {
          const ids = [0, 1, 2].map(() => `any-${randomUUID()}`);
          for (const { order, move, way, twice } of said) {
            const id = ids[order] ?? '';
            const answers = [await ways.say(id, move, way), ...(twice ? [await ways.say(id, move, way)] : [])];
            for (const { status } of answers) expect(status ?? 200).toBeLessThan(500);
            taken.push(...answers.flatMap(({ status, eventId }) => (status === 202 && eventId ? [eventId] : [])));
          }
          const placed = await finish(ids);
          const { items } = await ways.get<{ items: Order[] }>('/v1/orders?limit=500');
          const listed = items.filter(({ orderId }) => ids.includes(orderId)).map(({ orderId }) => orderId);
          expect(listed.sort()).toEqual([...placed].sort());
        }),
        { numRuns: RUNS },
      );
      await waitFor('all events to be told', async () => (await unsent()) === 0);
      const statuses = withoutRepeats(await eventsOf(deployment, 'order-status'));
      expect(numberingFaults('order-status', statuses)).toEqual([]);
      const last = new Map(statuses.map(({ orderId, fields }) => [orderId, fields.status]));
      const { items } = await ways.get<{ items: Order[] }>('/v1/orders?limit=500');
      expect(new Map(items.map(({ orderId, status }) => [orderId, status]))).toEqual(last);
      const decoded = await deployment.codec.decodeBatch<{ eventId: string }>(
        deployment.topics.orders,
        (await deployment.records('orders')).map(({ value }) => value),
      );
      const onTopic = decoded.flatMap((one) => (one.kind === 'event' ? [one.value.eventId] : []));
      expect(taken.filter((eventId) => !onTopic.includes(eventId))).toEqual([]);
      // But the carrier: who speaks in its name here may say of a parcel it has called off that it was delivered.
      const audit = await deployment.oms(['audit', '--settle', '1', '--grace', '1', '--only', OURS]);
      if (audit.code !== 0) throw new Error(audit.stdout + audit.stderr);
    },
    HANGS_AFTER_MS,
  );
});
