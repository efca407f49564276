import type { Database } from '../../database/database.ts';
import { claimOrders, lookUp } from '../../database/ledger/ledger.ts';
import type { Address, OrderItem } from '../../domain/order.ts';
import { judge, orderViews } from '../../orders/intake/judge.ts';
import type { PlacedEvent } from '../../orders/intake/order-event.ts';
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
export type PlaceOutcome = 'placed' | 'known';

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
