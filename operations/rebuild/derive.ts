import { transaction } from '../../database/database.ts';
import { claimOrders } from '../../database/ledger/ledger.ts';
import type { Claim } from '../../database/ledger/ledger.ts';
import { ALLOCATION_STRATEGIES } from '../../domain/allocation.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import { topicNames } from '../../kafka/topics.ts';
import { fingerprint } from '../../orders/intake/order-event.ts';
import { forgetState, insertRebuilt, takeDispatched } from './order/insert.ts';
import type { RebuiltOrder } from './order/insert.ts';
import { nextBehind } from './order/outbox.ts';
import { rebuiltOrder } from './order/rebuilt-order.ts';
import { toldOrder } from './order/told.ts';
import type { Told, ToldOrder } from './order/told.ts';
import type { RebuildContext } from './topics.ts';

/** Orders of one transaction. */
const PAGE_ORDERS = 200;

/** What became of the orders that were told of. */
export interface Derived {
  orders: number;
  /** Told of, but without a status: nothing says what they are. */
  withoutStatus: string[];
}

/** Makes the state of every order from its events that these know more of, page by page. */
export async function deriveOrders(context: RebuildContext): Promise<Derived> {
  const derived: Derived = { orders: 0, withoutStatus: [] };
  for (let after = ''; ;) {
    const rows = await nextBehind(context.db, after, PAGE_ORDERS);
    const last = rows.at(-1);
    if (!last) return derived;
    await derivePage(
      context,
      Map.groupBy(rows, ({ orderId }) => orderId),
      derived,
    );
    after = last.orderId;
  }
}

type Row = Awaited<ReturnType<typeof nextBehind>>[number];

async function derivePage(context: RebuildContext, page: Map<string, Row[]>, derived: Derived): Promise<void> {
  const { db, config } = context;
  const placed = await placedOf(context, [...page.keys()]);
  const rules = { keepsStock: ALLOCATION_STRATEGIES[config.OMS_ALLOCATION].keepsStock };
  const rebuilt: RebuiltOrder[] = [];
  const unplaced: ToldOrder[] = [];
  for (const [orderId, rows] of page) {
    const told = toldOrder(await decoded(context, rows));
    if (!told) {
      derived.withoutStatus.push(orderId);
      continue;
    }
    const own = placed.get(orderId) ?? null;
    if (!own) unplaced.push(told);
    rebuilt.push({ order: rebuiltOrder(told, own, rules), placed: own });
  }
  const ids = rebuilt.map(({ order }) => order.orderId);
  await transaction(db, async (tx) => {
    await claimOrders(
      tx,
      unplaced.map((told) => claimWithoutRecord(context, told)),
    );
    await forgetState(tx, ids);
    await insertRebuilt(tx, rebuilt);
    await takeDispatched(tx, ids);
  });
  derived.orders += rebuilt.length;
}

async function placedOf({ db }: RebuildContext, orderIds: string[]): Promise<Map<string, PlacedOrder>> {
  const rows = await db.selectFrom('ledger').select(['order_id', 'placed']).where('order_id', 'in', orderIds).execute();
  return new Map(rows.flatMap((row) => (row.placed ? [[row.order_id, row.placed]] : [])));
}

async function decoded({ codec, config }: RebuildContext, rows: readonly Row[]): Promise<Told[]> {
  const names = topicNames(config.OMS_PREFIX);
  const told: Told[] = [];
  for (const { topic, value } of rows) {
    const [one] = await codec.decodeBatch(names[topic], [value]);
    if (one?.kind === 'event') told.push({ topic, event: one.value } as Told);
  }
  return told;
}

/**
 * An order whose placing is not on its topic any more is known all the same: should it come again, from wherever, it is a
 * conflict and not a new order.
 */
function claimWithoutRecord({ config }: RebuildContext, { status }: ToldOrder): Claim {
  const { orderId, customerId, currency, source, placedAt } = status;
  const items = status.fulfillments.flatMap((f) =>
    f.items.map(({ sku, quantity }) => ({ sku, quantity, unitPrice: null, description: null })),
  );
  const order: PlacedOrder = { orderId, customerId, currency, source, placedAt, items, shipTo: null };
  const topic = topicNames(config.OMS_PREFIX).orders;
  const record = { topic, partition: -1, offset: -1, time: placedAt, key: null, value: null, headers: {} };
  return { order, eventId: 'unknown', fingerprint: fingerprint(order), record };
}
