import type { OrderProgress } from '../../domain/progress.ts';
import { applyCarrierUpdate } from '../../database/carrier-updates.ts';
import { bookingIntents, recordBookings } from '../../database/steps/book.ts';
import type { BookingAnswer, BookingIntent } from '../../database/steps/book.ts';
import { recordCalledOff } from '../../database/steps/cancel.ts';
import type { CancelRequest } from '../../database/steps/cancel.ts';
import { readProgress } from '../../database/orders/progress.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './outcomes.ts';

/** What came of calling shipments off. */
export interface CalledOff {
  progress: OrderProgress;
  /** The carrier has them already. */
  tooLate: string[];
}

/** Steps that talk to the carrier. */
export function createCarrierActivities(deps: ActivityDependencies) {
  const { carrier } = deps;

  const book = async ({ shipmentId, ...rest }: BookingIntent): Promise<BookingAnswer> => ({
    shipmentId,
    ...(await carrier.book({ key: shipmentId, ...rest })),
  });

  const track = async (shipmentId: string): Promise<void> => {
    const tracking = await carrier.track(shipmentId);
    if (!tracking) return;
    const unknown = { carrier: null, trackingNumber: null, detail: null };
    await applyCarrierUpdate(deps.db, deps.encoder, { shipmentId, ...tracking, ...unknown });
  };

  return {
    /** Books a carrier for what is paid. A shipment without an answer stays as it is. */
    async bookShipments(orderId: string, ids: string[]): Promise<OrderProgress> {
      const intents = await bookingIntents(deps.db, orderId, ids);
      return recordBookings(deps, orderId, await answersOf(intents, book));
    },

    /** Calls bookings off. The carrier's yes is the point of no return, so every answer is needed before the next step. */
    async callOffShipments(orderId: string, ids: string[], request: CancelRequest): Promise<CalledOff> {
      const answers = await Promise.all(ids.map(async (id) => ({ id, answer: await carrier.cancel(id) })));
      const idsOf = (wanted: string): string[] => answers.filter((a) => a.answer === wanted).map((a) => a.id);
      const progress = await recordCalledOff(deps, orderId, idsOf('cancelled'), request);
      return { progress, tooLate: idsOf('alreadyPickedUp') };
    },

    /** Asks the carrier where these shipments are, and applies what it says as if it had told us. */
    async trackShipments(orderId: string, ids: string[]): Promise<OrderProgress> {
      await answersOf(ids, track);
      return readProgress(deps.db, orderId);
    },
  };
}
