import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pLimit from 'p-limit';
import { createIngestMetrics } from '../../ingest/metrics.ts';
import { createChunkHandler } from '../../ingest/orders/handler.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { topicSchemas } from '../../kafka/topics.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { createOrderWorkflows } from '../../temporal/order-workflows.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { cancelled, customerAction, placed } from '../helpers/order-events.ts';

let world: IngestWorld;
let round = 0;

beforeAll(async () => {
  world = await createIngestWorld();
});
afterAll(() => world.drop());

const KINDS = ['placed', 'placed again', 'cancel', 'action'] as const;
interface Told {
  order: number;
  kind: (typeof KINDS)[number];
}

/** What each of two ingest processes reads, in which portions, and at which of its steps, counted, it dies. */
interface Plan {
  partitions: Told[][];
  portions: number[];
  deaths: number[];
}

const told = fc.record({ order: fc.nat({ max: 2 }), kind: fc.constantFrom(...KINDS) });
const partition = fc.array(told, { maxLength: 8 });
const plans: fc.Arbitrary<Plan> = fc.record({
  partitions: fc.tuple(partition, partition),
  portions: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
  deaths: fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 4 }),
});

function eventOf({ order, kind }: Told): OrderEvent {
  const id = world.id(`${round}-${order}`);
  if (kind === 'placed') return placed(id);
  if (kind === 'placed again') return placed(id, {}, { eventId: `${id}/again`, occurredAt: 1 });
  return kind === 'cancel' ? cancelled(id) : customerAction(id, 'Cancel');
}

class Death extends Error {}

/** An ingest that dies at its `lives`-th step from now, taking all it knew with it. */
function handlerWith(lives: number): ReturnType<typeof createChunkHandler> {
  let left = lives;
  const { environment, db, client } = world;
  const registry = createRegistry({ url: environment.SCHEMA_REGISTRY_URL ?? '' });
  return createChunkHandler({
    db,
    codec: createCodec({ registry, schemas: topicSchemas(environment.OMS_PREFIX ?? '') }),
    workflows: createOrderWorkflows({
      client,
      taskQueue: world.topics.orders,
      timersOf: () => ({ customerActionMs: 1_000, carrierOverdueMs: 1_000 }),
    }),
    office: {
      send: (letters) =>
        letters.length > 0 ? Promise.reject(new Error('no dead letter is due')) : Promise.resolve([]),
    },
    limiter: pLimit(4),
    metrics: createIngestMetrics(createMetrics('test')),
    parkingDeadlineMs: 3_600_000,
    lanesPerConfirm: 2,
    onStarted: () => undefined,
    onStep: () => {
      if (--left === 0) throw new Death();
    },
  });
}

/** Reads a partition to its end, in portions, as often as it takes: what is committed survives, all else does not. */
async function readPartition(n: number, events: readonly Told[], { portions, deaths }: Plan): Promise<void> {
  const records = events.map(eventOf).map((event, i): ConsumedRecord => {
    const place = { topic: world.topics.orders, partition: n, offset: BigInt(round * 1_000 + i), timestamp: i };
    return { ...place, key: Buffer.from(event.orderId), value: world.encode(event), headers: {} };
  });
  const lives = deaths.filter((_, i) => i % 2 === n);
  let handle = handlerWith(lives.shift() ?? Infinity);
  for (let from = 0, chunk = 0; from < records.length; chunk++) {
    const portion = records.slice(from, from + (portions[chunk % portions.length] ?? 1));
    const common = { topic: world.topics.orders, partition: n, finished: () => undefined };
    try {
      await handle({ ...common, records: portion, signal: new AbortController().signal });
      from += portion.length;
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      handle = handlerWith(lives.shift() ?? Infinity);
    }
  }
}

const namesOf = (events: readonly Told[]): string[] =>
  [...new Set(events.map((event) => eventOf(event).eventId))].sort();

/** The end follows from which events there were, and from nothing else. */
async function checkOrder(order: number, events: readonly Told[]): Promise<void> {
  const id = world.id(`${round}-${order}`);
  const isPlaced = events.some(({ kind }) => kind.startsWith('placed'));
  const wishes = namesOf(events.filter(({ kind }) => !kind.startsWith('placed')));
  const run = await world.run(id);
  const parked = await world.db.selectFrom('parked_events').select('event_id').where('order_id', '=', id).execute();
  const heard = [...(run?.input.parked.map(({ eventId }) => eventId) ?? []), ...(run?.signals ?? [])];
  expect({
    state: (await world.ledger(id))?.state,
    isRunning: run !== undefined,
    heard: [...new Set(heard)].sort(),
    parked: parked.map((row) => row.event_id).sort(),
    done: Object.keys(await world.done(id)).sort(),
  }).toEqual({
    state: isPlaced ? 'started' : events.length > 0 ? 'awaited' : undefined,
    isRunning: isPlaced,
    heard: isPlaced ? wishes : [],
    parked: isPlaced ? [] : wishes,
    done: isPlaced ? namesOf(events) : [],
  });
}

describe('events of some orders', () => {
  it('in any order, any number of times, over two partitions and any number of crashes, come to the same end', async () => {
    const runs = process.env.OMS_TEST_LONG ? 500 : 30;
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        round++;
        await Promise.all(plan.partitions.map((events, n) => readPartition(n, events, plan)));
        const all = plan.partitions.flat();
        for (const order of [0, 1, 2]) {
          await checkOrder(
            order,
            all.filter((event) => event.order === order),
          );
        }
      }),
      { numRuns: runs },
    );
  }, 1_800_000);
});
