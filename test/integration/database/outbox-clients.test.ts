import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Database } from '../../../database/database.ts';
import { markSent, readUnsent } from '../../../database/outbox/outbox-queue.ts';
import { OUTBOX_SHARDS } from '../../../database/outbox/outbox.ts';
import type { EventEncoder, OutgoingTopic } from '../../../database/outbox/outbox.ts';
import { openShardLocks } from '../../../database/outbox/shard-locks.ts';
import { orderStep } from '../../../orders/record/step.ts';
import { CLIENTS, atOnce, createClientsDatabase, turned } from '../../helpers/clients.ts';
import { oneTo } from '../../helpers/outbox-world.ts';
import { waitFor } from '../../helpers/wait.ts';

let db: Database;
let url: string;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, url, drop } = await createClientsDatabase());
});
afterAll(() => drop());

const TOPICS: OutgoingTopic[] = ['shipments', 'invoices', 'deliveries', 'order-status'];
const ORDERS = ['order-a', 'order-b', 'order-c'];
const ROUNDS = 4;

/** What a row was numbered, kept as its bytes. */
const encoder: EventEncoder = {
  encode: (_, envelope) => ({ value: Buffer.from(JSON.stringify(envelope)), headers: {} }),
};

/** A step that tells two events of a client's own, and one that all clients tell of: by whoever finds it untold. */
async function tell(client: Database, orderId: string, n: number, round: number): Promise<void> {
  const own = turned(TOPICS, n)
    .slice(0, 2)
    .map((topic) => ({ topic, eventId: `${orderId}/${n}/${round}/${topic}` }));
  const everybodys = { topic: 'invoices' as const, eventId: `${orderId}/all/${round}` };
  await orderStep({ db: client, encoder }, orderId, 'test', async (step) => {
    const wanted = (await isTold(step.db, everybodys.eventId)) ? own : [...own, everybodys];
    for (const event of wanted) step.tell({ ...event, type: 'Told', cause: step.cause, fields: {} });
  });
}

async function isTold(client: Database, eventId: string): Promise<boolean> {
  const known = client.selectFrom('outbox').select('event_id').where('event_id', '=', eventId);
  return (await known.executeTakeFirst()) !== undefined;
}

/** Reads as a publisher does, until everything there will be is sent; the versions of each order as they came. */
async function publish(expected: number): Promise<Map<string, number[]>> {
  const shards = Array.from({ length: OUTBOX_SHARDS }, (_, shard) => shard);
  const versions = new Map(ORDERS.map((orderId) => [orderId, [] as number[]]));
  for (let sent = 0; sent < expected;) {
    const events = await readUnsent(db, { shards, except: [], limit: 50 });
    for (const { orderId, value } of events)
      versions.get(orderId)?.push((JSON.parse(value.toString()) as { version: number }).version);
    sent += (
      await markSent(
        db,
        events.map(({ id }) => id),
      )
    ).length;
  }
  return versions;
}

describe('The outbox with many clients at once', () => {
  const eventsOfOrder = ROUNDS * (2 * CLIENTS + 1);

  it('numbers an order’s events without a gap, tells each once, and shows them to a publisher in order', async () => {
    const order = { run_id: 'run', source: 'test', customer_id: 'c', currency: 'GBP', status: 'pending' as const };
    const rows = ORDERS.map((order_id) => ({ order_id, ...order, placed_at: new Date() }));
    await db.insertInto('orders').values(rows).execute();

    const telling = atOnce(db, async (client, n) => {
      for (let round = 0; round < ROUNDS; round++)
        for (const orderId of turned(ORDERS, n)) await tell(client, orderId, n, round);
    });
    const [published] = await Promise.all([publish(ORDERS.length * eventsOfOrder), telling]);

    for (const orderId of ORDERS) expect(published.get(orderId)).toEqual(oneTo(eventsOfOrder));
    for (const orderId of ORDERS)
      for (const topic of TOPICS) {
        const told = db.selectFrom('outbox').select('sequence').where('order_id', '=', orderId);
        const sequences = (await told.where('topic', '=', topic).orderBy('version').execute()).map((r) => r.sequence);
        expect(sequences).toEqual(oneTo(sequences.length));
      }
  });

  it('has each shard sent by one of them, and all are shared out', async () => {
    const publishers = await Promise.all(
      Array.from({ length: CLIENTS }, () => openShardLocks({ url, onWake: () => undefined, onLost: () => undefined })),
    );
    try {
      // Two that reach for the same shard at once leave it to one of them, who may have enough: they try again, as publishers do.
      const held = (): (readonly number[])[] => publishers.map((publisher) => publisher.shards());
      await waitFor('all shards to be held', async () => {
        await Promise.all(publishers.map((publisher) => publisher.balance()));
        expect(new Set(held().flat()).size).toBe(held().flat().length);
        return held().flat().length === OUTBOX_SHARDS;
      });
      for (const shards of held()) expect(shards).toHaveLength(OUTBOX_SHARDS / CLIENTS);
    } finally {
      await Promise.all(publishers.map((publisher) => publisher.close()));
    }
  });
});
