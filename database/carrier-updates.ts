import { orderIdOf } from '../domain/ids.ts';
import { isSettled } from '../domain/progress.ts';
import type { ShipmentStatus } from '../domain/status.ts';
import type { Database } from './database.ts';
import { progressOf } from './orders/progress.ts';
import { fulfillmentOf } from './orders/record.ts';
import type { FulfillmentRecord, ShipmentRecord } from './orders/record.ts';
import { book, callOff, deliver, dispatch, failDelivery, tellReturn } from './orders/shipping.ts';
import { orderStep } from './orders/step.ts';
import type { OrderStep } from './orders/step-types.ts';
import type { EventEncoder } from './outbox.ts';
import { recordTime } from './records.ts';

/** News from a carrier about a shipment. */
export interface CarrierUpdate {
  /** A repeat carries the same id. */
  updateId: string;
  shipmentId: string;
  status: 'booked' | 'dispatched' | 'delivered' | 'deliveryFailed' | 'returnedToSender' | 'cancelled';
  /** By the carrier's clock, ms since the epoch. */
  at: number;
  carrier: string | null;
  trackingNumber: string | null;
  /** Text for people. */
  detail: string | null;
}

export interface AppliedUpdate {
  orderId: string;
  /** False when it said nothing new, or nothing that is possible any more. */
  applied: boolean;
  /** Null when the order has no such shipment. */
  shipmentStatus: ShipmentStatus | null;
  /** Every shipment of the order has ended: the order's workflow is to be told. */
  orderSettled: boolean;
}

/**
 * Applies the news about one order, in the order given, to its shipments as far as the state table allows, out of order
 * too, and tells the events of it. News that changes nothing is kept with `applied` false and still answers where the
 * shipment and the order stand, so that a repeat after a crash leads to the same signal. All of it is one statement,
 * in the transaction of `db` if it is one.
 * @throws OmsError OMS_ORDER_UNKNOWN when the order has no row; OMS_DATABASE_UNAVAILABLE
 */
export async function applyCarrierUpdates(
  db: Database,
  encoder: EventEncoder,
  orderId: string,
  updates: readonly CarrierUpdate[],
): Promise<AppliedUpdate[]> {
  const cause = updates.at(-1)?.updateId ?? 'carrier';
  const { result: applied, order } = await orderStep({ db, encoder }, orderId, cause, async (step) => {
    const outcomes: boolean[] = [];
    for (const update of updates) outcomes.push(await takeIn({ ...step, cause: update.updateId }, update));
    return outcomes;
  });
  const orderSettled = isSettled(progressOf(order));
  return updates.map(({ shipmentId }, i) => {
    const shipmentStatus = fulfillmentOf(order, shipmentId)?.shipment?.status ?? null;
    return { orderId, applied: applied[i] ?? false, shipmentStatus, orderSettled };
  });
}

/** `applyCarrierUpdates` for news that comes alone. */
export async function applyCarrierUpdate(
  db: Database,
  encoder: EventEncoder,
  update: CarrierUpdate,
): Promise<AppliedUpdate> {
  const orderId = orderIdOf(update.shipmentId);
  const [applied] = await applyCarrierUpdates(db, encoder, orderId, [update]);
  return applied ?? { orderId, applied: false, shipmentStatus: null, orderSettled: false };
}

async function takeIn(step: OrderStep, update: CarrierUpdate): Promise<boolean> {
  const fulfillment = fulfillmentOf(step.order, update.shipmentId);
  const shipment = fulfillment?.shipment;
  const applied = fulfillment && shipment ? await apply(step, fulfillment, shipment, update) : false;
  step.news.push(newsRow(update, applied));
  return applied;
}

async function apply(
  step: OrderStep,
  f: FulfillmentRecord,
  shipment: ShipmentRecord,
  update: CarrierUpdate,
): Promise<boolean> {
  const { carrier, trackingNumber, detail } = update;
  if (update.status === 'cancelled') return callOff(step, f, shipment, detail ?? 'the carrier called it off');
  // Whatever else is said of it, it must have been booked.
  const booked = book(step, f, shipment, { carrier, reference: null, trackingNumber });
  const ending = { carrierTime: update.at, detail };
  switch (update.status) {
    case 'booked':
      return booked;
    case 'dispatched':
      return dispatch(step, f, shipment);
    case 'delivered':
      return deliver(step, f, shipment, ending);
    case 'deliveryFailed':
      return failDelivery(step, f, shipment, { ...ending, type: 'DeliveryFailed' });
    case 'returnedToSender':
      return (
        failDelivery(step, f, shipment, { ...ending, type: 'ReturnedToSender' }) ||
        tellReturn(step, f, shipment, ending)
      );
  }
}

function newsRow(update: CarrierUpdate, applied: boolean) {
  return {
    update_id: update.updateId,
    shipment_id: update.shipmentId,
    status: update.status,
    applied,
    occurred_at: recordTime(update.at).toISOString(),
    detail: update.detail,
  };
}
