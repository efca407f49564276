import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { recordTime } from '../../database/ledger/records.ts';
import type { EventEncoder } from '../../database/outbox/outbox.ts';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { CAUSES } from '../../domain/causes.ts';
import { orderIdOf } from '../../domain/ids.ts';
import { isSettled } from '../../domain/progress.ts';
import { REASONS } from '../../domain/reasons.ts';
import { isFinalFulfillment, isFinalOrder } from '../../domain/status.ts';
import type { ShipmentStatus } from '../../domain/status.ts';
import type { OrderStep } from '../record/order-step.ts';
import { isCaptureDue, isRefundDue, progressOf } from '../record/progress.ts';
import { fulfillmentOf } from '../record/record.ts';
import type { FulfillmentRecord, OrderRecord, ShipmentRecord } from '../record/record.ts';
import { orderStep, previewStep } from '../record/step.ts';
import { book, callOff, deliver, dispatch, failAttempt, isOnItsWay, takeBack } from './shipping.ts';

export interface AppliedUpdate {
  orderId: string;
  /** False when it said nothing new, or nothing that is possible any more. */
  applied: boolean;
  /** It was not heard before, and the order had closed before it came. */
  late: boolean;
  /** Null when the order has no such shipment. */
  shipmentStatus: ShipmentStatus | null;
  /** There is no such shipment, and there may be one yet. */
  mayCome: boolean;
  /** The order's workflow is to be told: all has ended, or of this shipment something is to be undone or its money taken. */
  wakes: boolean;
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
  const cause = updates.at(-1)?.updateId ?? CAUSES.carrier;
  return answersOf(updates, await orderStep({ db, encoder }, orderId, cause, takeAll(updates)));
}

/**
 * What `applyCarrierUpdates` would answer, by the same decisions, without anything being written.
 * @throws as `applyCarrierUpdates`
 */
export async function previewCarrierUpdates(
  db: Database,
  orderId: string,
  updates: readonly CarrierUpdate[],
): Promise<AppliedUpdate[]> {
  return answersOf(updates, await previewStep(db, orderId, takeAll(updates)));
}

const takeAll =
  (updates: readonly CarrierUpdate[]) =>
  async (step: OrderStep): Promise<Taken[]> => {
    const outcomes: Taken[] = [];
    for (const update of updates) outcomes.push(await takeIn({ ...step, cause: update.updateId }, update));
    return outcomes;
  };

function answersOf(
  updates: readonly CarrierUpdate[],
  { result: taken, order }: { result: Taken[]; order: OrderRecord },
): AppliedUpdate[] {
  return updates.map(({ shipmentId }, i) => {
    const fulfillment = fulfillmentOf(order, shipmentId);
    return {
      orderId: order.orderId,
      ...(taken[i] ?? { applied: false, late: false }),
      shipmentStatus: fulfillment?.shipment?.status ?? null,
      mayCome: mayCome(order, fulfillment),
      wakes: wakes(order, fulfillment),
    };
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
  if (!applied) throw new Error('news went in and none came out');
  return applied;
}

function mayCome(order: OrderRecord, fulfillment: FulfillmentRecord | undefined): boolean {
  if (fulfillment?.shipment || isFinalOrder(order.status)) return false;
  return fulfillment === undefined || !isFinalFulfillment(fulfillment.status);
}

/** A workflow whose order has closed ends by itself. */
function wakes(order: OrderRecord, fulfillment: FulfillmentRecord | undefined): boolean {
  if (!fulfillment?.shipment || isFinalOrder(order.status)) return false;
  const calledOff = fulfillment.shipment.status === 'cancelled' && !isFinalFulfillment(fulfillment.status);
  return calledOff || isRefundDue(fulfillment) || isCaptureDue(fulfillment) || isSettled(progressOf(order));
}

type Taken = Pick<AppliedUpdate, 'applied' | 'late'>;

async function takeIn(step: OrderStep, update: CarrierUpdate): Promise<Taken> {
  const fulfillment = fulfillmentOf(step.order, update.shipmentId);
  const shipment = fulfillment?.shipment;
  if (!fulfillment || !shipment) return { applied: false, late: false };
  // The same news twice in one go, of which the first has counted.
  if (step.news.some((row) => row.update_id === update.updateId && row.shipment_id === update.shipmentId))
    return { applied: false, late: false };
  const applied = await apply(step, fulfillment, shipment, update);
  step.news.push(newsRow(update, applied));
  const late = !applied && isFinalOrder(step.order.status) && (await wasHeard(step.db, update)) === null;
  return { applied, late };
}

async function apply(
  step: OrderStep,
  f: FulfillmentRecord,
  shipment: ShipmentRecord,
  update: CarrierUpdate,
): Promise<boolean> {
  const { carrier, trackingNumber, detail, at: carrierTime } = update;
  if (update.status === 'cancelled') return callOff(step, f, shipment, detail ?? REASONS.calledOffByCarrier);
  // Whatever else is said of it, it must have been booked.
  const booked = book(step, f, shipment, { carrier, reference: null, trackingNumber });
  const news = { carrierTime, detail };
  switch (update.status) {
    case 'booked':
      return booked;
    case 'dispatched':
      return dispatch(step, f, shipment);
    case 'inTransit':
      return dispatch(step, f, shipment) || (isOnItsWay(shipment) && !(await wasApplied(step.db, update)));
    case 'delivered':
      return deliver(step, f, shipment, news);
    case 'deliveryFailed':
      // Only its id tells a repeat from the next attempt.
      return !(await wasApplied(step.db, update)) && failAttempt(step, f, shipment, news);
    case 'returnedToSender':
      return takeBack(step, f, shipment, news);
  }
}

/** Whether news with this id was applied; null when it was never heard. */
async function wasHeard(db: Database, { shipmentId, updateId }: CarrierUpdate): Promise<boolean | null> {
  const { rows } = await sql<{ applied: boolean }>`
    select applied from carrier_updates where shipment_id = ${shipmentId} and update_id = ${updateId}
  `.execute(db);
  return rows[0]?.applied ?? null;
}

const wasApplied = async (db: Database, update: CarrierUpdate): Promise<boolean> =>
  (await wasHeard(db, update)) ?? false;

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
