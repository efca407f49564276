import type { Database } from '../../database/database.ts';
import { claimOrders, lookUp } from '../../database/ledger/ledger.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Address, OrderItem } from '../../domain/order.ts';
import { isFinalFulfillment, isFinalOrder } from '../../domain/status.ts';
import { judge, orderViews } from '../../orders/intake/judge.ts';
import type { PlacedEvent } from '../../orders/intake/order-event.ts';
import { readOrder } from '../../orders/record/load.ts';
import { isHandedOver } from '../../orders/record/progress.ts';
import type { OrderRecord } from '../../orders/record/record.ts';
import { amendmentRefusal } from '../../orders/steps/amend.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { envelope, ownEvent, postEvent } from './posting.ts';
import type { OwnEvent, PostingDependencies } from './posting.ts';

/** An order as it is placed over HTTP. */
export interface WantedOrder {
  orderId: string;
  /** Of the event that places it; a repeat of the request carries the same. */
  eventId: string;
  customerId: string;
  /** ISO 4217 */
  currency: string;
  items: OrderItem[];
  shipTo: Address | null;
}

/** `known`: an order with this id and content was placed before; nothing was done. */
type PlaceOutcome = 'placed' | 'known';

/**
 * Takes an order in: claims its id in the ledger and puts its record on the way to `orders`, in the caller's transaction.
 * From the commit on the order is there for every reader; ingest starts it when the record comes back from the topic.
 * @throws OmsError OMS_INGEST_FIELD_INVALID naming field, value and rule; OMS_INGEST_ORDER_CONFLICT,
 *   OMS_INGEST_EVENT_CONFLICT when the id is taken by another order
 */
export async function placeOrder(deps: PostingDependencies, tx: Database, wanted: WantedOrder): Promise<PlaceOutcome> {
  const { orderId, eventId, customerId, currency, items, shipTo } = wanted;
  const payload = { 'oms.OrderPlaced': { customerId, currency, items, shipTo } };
  const own = ownEvent(deps, { ...envelope(deps, orderId, eventId), payload });
  for (;;) {
    const view = orderViews(await lookUp(tx, [own.incoming]))(orderId);
    const verdict = judge(own.incoming, view);
    if (verdict.outcome === 'conflict') throw verdict.error;
    if (verdict.outcome !== 'claim') return 'known';
    if (await claim(tx, own, verdict.fingerprint)) break;
    // Somebody else was faster with this id: judged again by what the ledger says now.
  }
  await postEvent(tx, own);
  return 'placed';
}

async function claim(tx: Database, { incoming, value }: OwnEvent, fingerprint: Buffer): Promise<boolean> {
  const { order, eventId, orderId, record } = incoming as PlacedEvent;
  const place = { topic: record.topic, partition: null, offset: null, time: record.timestamp, value };
  const ours = await claimOrders(tx, [{ order, eventId, fingerprint, record: place }]);
  return ours.has(orderId);
}

/** Something that is asked of an order that was placed. */
export type Wish =
  | { kind: 'cancel'; reason: string | null; fulfillmentId: string | null }
  | { kind: 'amend'; items: OrderItem[] | null; shipTo: Address | null }
  | { kind: 'customerAction'; action: 'amend' | 'cancel' };

/**
 * Takes a wish in: puts its record on the way to `orders`, in the caller's transaction, unless it is plain already that
 * nothing can come of it. What came of it in the end stands in the order's timeline. A repeat by event id does nothing.
 * @throws OmsError OMS_ORDER_UNKNOWN, OMS_ORDER_CLOSED, OMS_ORDER_MOVE_ILLEGAL, OMS_ORDER_CANCEL_TOO_LATE,
 *   OMS_ORDER_AMEND_INVALID, OMS_ORDER_AMEND_TOO_LATE, OMS_INGEST_EVENT_CONFLICT, OMS_INGEST_FIELD_INVALID
 */
export async function askOrder(
  deps: PostingDependencies,
  tx: Database,
  request: { orderId: string; eventId: string; wish: Wish },
): Promise<void> {
  const { orderId, eventId, wish } = request;
  const own = ownEvent(deps, { ...envelope(deps, orderId, eventId), payload: payloadOf(wish) });
  const verdict = judge(own.incoming, orderViews(await lookUp(tx, [own.incoming]))(orderId));
  if (verdict.outcome === 'duplicate') return;
  if (verdict.outcome === 'conflict') throw verdict.error;
  if (verdict.outcome === 'park') throw new OmsError('OMS_ORDER_UNKNOWN', `no order ${orderId}`);
  if (verdict.outcome === 'late') throw closed(orderId, 'closed');
  const order = await readOrder(tx, orderId);
  if (order) refuseInVain(order, wish);
  await postEvent(tx, own);
}

function payloadOf(wish: Wish): OrderEvent['payload'] {
  switch (wish.kind) {
    case 'cancel':
      return { 'oms.OrderCancelled': { reason: wish.reason, fulfillmentId: wish.fulfillmentId } };
    case 'amend':
      return { 'oms.OrderAmended': { items: wish.items, shipTo: wish.shipTo } };
    case 'customerAction':
      return { 'oms.CustomerAction': { action: wish.action === 'amend' ? 'Amend' : 'Cancel' } };
  }
}

const closed = (orderId: string, status: string): OmsError =>
  new OmsError('OMS_ORDER_CLOSED', `order ${orderId} is ${status}: nothing can be asked of it any more`);

function refuseInVain(order: OrderRecord, wish: Wish): void {
  if (isFinalOrder(order.status)) {
    throw closed(order.orderId, order.status);
  }
  switch (wish.kind) {
    case 'cancel':
      return refuseCancel(order, wish.fulfillmentId);
    case 'amend':
      return refuseAmend(order, wish);
    case 'customerAction':
      if (order.status === 'customerActionRequired') return;
      throw new OmsError(
        'OMS_ORDER_MOVE_ILLEGAL',
        `order ${order.orderId} is ${order.status}: no customer action is asked for now`,
      );
  }
}

function refuseCancel(order: OrderRecord, fulfillmentId: string | null): void {
  const wanted = order.fulfillments.filter(({ id }) => fulfillmentId === null || id === fulfillmentId);
  if (wanted.length === 0) {
    const rule = `must be a fulfillment of order ${order.orderId}`;
    throw faultError('OMS_ORDER_UNKNOWN', { field: 'fulfillmentId', value: fulfillmentId, rule });
  }
  const open = wanted.filter((f) => !isFinalFulfillment(f.status));
  if (open.length === 0) {
    throw new OmsError('OMS_ORDER_CLOSED', `${wanted.map(({ id }) => id).join(', ')}: nothing is left to be cancelled`);
  }
  if (!open.every(isHandedOver)) return;
  const handed = open.map(({ id }) => id).join(', ');
  throw new OmsError('OMS_ORDER_CANCEL_TOO_LATE', `handed to the carrier: ${handed}`);
}

function refuseAmend(order: OrderRecord, wish: { items: OrderItem[] | null; shipTo: Address | null }): void {
  const refusal = amendmentRefusal(order, wish);
  if (refusal === null) return;
  const [code = '', ...words] = refusal.split(': ');
  throw new OmsError(code as ErrorCode, words.join(': '));
}
