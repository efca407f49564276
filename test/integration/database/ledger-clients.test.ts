import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transaction } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import { keepAnswer, readAnswer } from '../../../database/http-requests.ts';
import { claimOrders, markStarted, recordEvents } from '../../../database/ledger/ledger.ts';
import { parkEvents, parkedFor, takeOverdue } from '../../../database/ledger/parked-events.ts';
import type { LifecycleRecord } from '../../../database/ledger/parked-events.ts';
import { postRecord } from '../../../database/ledger/posted-records.ts';
import { CLIENTS, atOnce, createClientsDatabase, turned } from '../../helpers/clients.ts';

let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, drop } = await createClientsDatabase());
});
afterAll(() => drop());

const ids = (name: string, count = 40): string[] => Array.from({ length: count }, (_, i) => `${name}-${i}`);
const record = { topic: 'orders', partition: 0, offset: 0, time: 1, key: null, value: Buffer.from('x'), headers: {} };

/** A client's claim of an order: what it is taken in from tells whose it was. */
const claim = (orderId: string, client: number) => ({
  order: {
    ...{ orderId, customerId: 'c', currency: 'GBP', items: [], shipTo: null, placedAt: 1 },
    source: `client-${client}`,
  },
  eventId: `${orderId}/placed`,
  fingerprint: Buffer.alloc(32, client),
  record,
});
const claimAll = (client: Database, n: number, orders: readonly string[]): Promise<Set<string>> =>
  transaction(client, (tx) =>
    claimOrders(
      tx,
      turned(orders, n).map((id) => claim(id, n)),
    ),
  );

const cancel = (orderId: string, client: number): LifecycleRecord => {
  const eventId = `${orderId}/cancel-${client}`;
  const message = { v: 1, kind: 'cancel', eventId, reason: null, fulfillmentId: null } as const;
  return { orderId, eventId, message, contentHash: null, source: null, sequence: null, record };
};
const park = (tx: Database, n: number, orders: readonly string[], deadlineMs: number): Promise<Set<string>> =>
  parkEvents(
    tx,
    turned(orders, n).map((id) => cancel(id, n)),
    deadlineMs,
  );

describe('The ledger with many clients at once', () => {
  it('gives each order to one of them, as that one told it', async () => {
    const orders = ids('claim');

    const claimed = await atOnce(db, (client, n) => claimAll(client, n, orders));

    expect(claimed.flatMap((ours) => [...ours]).sort()).toEqual([...orders].sort());
    const rows = await db.selectFrom('ledger').selectAll().where('order_id', 'in', orders).execute();
    const told = rows.map((row) => [row.order_id, row.source, row.fingerprint?.[0]]);
    expect(told.sort()).toEqual(
      claimed.flatMap((ours, n) => [...ours].map((orderId) => [orderId, `client-${n}`, n])).sort(),
    );
  });

  it('shows whoever claims an order all that was parked for it, and whoever parks that it is claimed', async () => {
    const orders = ids('park');

    const seen = await atOnce(db, (client, n) =>
      transaction(client, async (tx) => {
        if (n % 2) return { parked: await park(tx, n, orders, 60_000), shown: [] };
        const ours = await claimOrders(
          tx,
          turned(orders, n).map((id) => claim(id, n)),
        );
        return { parked: new Set<string>(), shown: await parkedFor(tx, [...ours]) };
      }),
    );

    const parked = seen.flatMap(({ parked }, n) => [...parked].map((orderId) => `${orderId}/cancel-${n}`));
    const shown = seen.flatMap(({ shown }) => shown.map(({ eventId }) => eventId));
    expect(shown.sort()).toEqual(parked.sort());
    const states = db.selectFrom('ledger').select('state').distinct().where('order_id', 'in', orders);
    expect(await states.execute()).toEqual([{ state: 'claimed' }]);
  });

  it('lets each event that waited in vain be taken once, and forgets its order', async () => {
    const orders = ids('overdue');
    await atOnce(db, (client, n) => transaction(client, (tx) => park(tx, n, orders, -1)));

    const taken = await atOnce(db, async (client) => {
      const mine: LifecycleRecord[] = [];
      for (let portion = orders.length; portion > 0;) {
        const some = await transaction(client, (tx) => takeOverdue(tx, 3));
        portion = some.length;
        mine.push(...some);
      }
      return mine.map(({ eventId }) => eventId);
    });

    const events = orders.flatMap((id) => Array.from({ length: CLIENTS }, (_, n) => `${id}/cancel-${n}`));
    expect(taken.flat().sort()).toEqual(events.sort());
    const left = db.selectFrom('ledger').select('order_id').where('order_id', 'in', orders);
    expect(await left.execute()).toEqual([]);
  });

  it('keeps the first outcome of an event, and an order closed that is confirmed late', async () => {
    const orders = ids('confirm');
    await transaction(db, (tx) =>
      claimOrders(
        tx,
        orders.map((id) => claim(id, 0)),
      ),
    );

    await atOnce(db, (client, n) =>
      transaction(client, async (tx) => {
        // A short order may end before ingest writes down that it was started.
        const closing = tx.updateTable('ledger').set({ state: 'closed' }).where('order_id', 'in', orders.slice(0, 20));
        if (n === 7) return closing.execute();
        const outcome = n % 2 ? ('started' as const) : ('late' as const);
        const event = { type: `told by ${n}`, outcome, contentHash: null };
        await recordEvents(
          tx,
          turned(orders, n).map((orderId) => ({ orderId, eventId: 'first', ...event })),
        );
        return markStarted(tx, turned(orders, n));
      }),
    );

    const rows = await db.selectFrom('ledger').select(['order_id', 'state']).where('order_id', 'in', orders).execute();
    const stateOf = new Map(rows.map((row) => [row.order_id, row.state]));
    expect(new Set(orders.slice(0, 20).map((id) => stateOf.get(id)))).toEqual(new Set(['closed']));
    expect(new Set(orders.slice(20).map((id) => stateOf.get(id)))).toEqual(new Set(['started']));
    const events = db.selectFrom('ledger_events').select(['type', 'outcome']).where('order_id', 'in', orders);
    const first = await events.execute();
    expect(first).toHaveLength(orders.length);
    for (const { type, outcome } of first)
      expect(outcome).toBe(Number(type.split(' ').at(-1)) % 2 ? 'started' : 'late');
  });
});

describe('What is asked over HTTP by many clients at once', () => {
  it('is put on its way once', async () => {
    const order = { topic: 'orders', orderId: 'posted', eventId: 'posted/placed', type: 'OrderPlaced' } as const;
    const isNew = await atOnce(db, (client, n) =>
      transaction(client, (tx) => postRecord(tx, { ...order, key: 'posted', value: Buffer.from([n]), headers: {} })),
    );

    expect(isNew.filter(Boolean)).toHaveLength(1);
    const row = db.selectFrom('outbox').select('value').where('order_id', '=', 'posted');
    expect(await row.execute()).toEqual([{ value: Buffer.from([isNew.indexOf(true)]) }]);
  });

  it('is answered by the first of them', async () => {
    const answer = { requestHash: Buffer.alloc(32), status: 201, headers: {} };
    const kept = await atOnce(db, (client, n) =>
      transaction(client, (tx) => keepAnswer(tx, 'key', { ...answer, body: { by: n } })),
    );

    expect(kept.filter(Boolean)).toHaveLength(1);
    expect((await readAnswer(db, 'key'))?.body).toEqual({ by: kept.indexOf(true) });
  });
});
