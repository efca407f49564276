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
 * Applies news to its shipment as far as the state table allows, out of order too, and tells the events of it. News that
 * changes nothing is kept with `applied` false and still answers where the shipment and the order stand, so that a
 * repeat after a crash leads to the same signal. In a transaction of its own unless `db` is one.
 * @throws OmsError OMS_ORDER_UNKNOWN when the order has no row; OMS_DATABASE_UNAVAILABLE
 */
export async function applyCarrierUpdate(
  db: Database,
  encoder: EventEncoder,
  update: CarrierUpdate,
): Promise<AppliedUpdate> {
  const orderId = orderIdOf(update.shipmentId);
  const { result } = await orderStep({ db, encoder }, orderId, update.updateId, async (step) => {
    const fulfillment = fulfillmentOf(step.order, update.shipmentId);
    const shipment = fulfillment?.shipment ?? null;
    const applied =
      fulfillment !== undefined && shipment !== null && (await apply(step, fulfillment, shipment, update));
    step.news.push(newsRow(update, applied));
    const orderSettled = isSettled(progressOf(step.order));
    return { orderId, applied, shipmentStatus: shipment?.status ?? null, orderSettled };
  });
  return result;
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
