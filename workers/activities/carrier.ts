import type { OrderProgress } from '../../domain/progress.ts';
import { existingOrder } from '../../orders/record/load.ts';
import { progressOf, readProgress } from '../../orders/record/progress.ts';
import type { OrderRecord } from '../../orders/record/record.ts';
import { recordCalledOff } from '../../orders/steps/cancel.ts';
import type { CancelRequest } from '../../orders/steps/cancel.ts';
import { applyCarrierUpdate } from '../../orders/steps/carrier-updates.ts';
import { bookingIntents, recordBookings } from '../../orders/steps/shipping.ts';
import type { BookingAnswer, BookingIntent } from '../../orders/steps/shipping.ts';
import type { Quote } from '../../providers/carrier/port.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './failures.ts';

/** What came of calling shipments off. */
export interface CalledOff {
  progress: OrderProgress;
  /** The carrier has them already. */
  tooLate: string[];
}

/** Steps that talk to the carrier. */
export function createCarrierActivities(deps: ActivityDependencies, book: Book) {
  const { carrier } = deps;

  const track = async (shipmentId: string): Promise<void> => {
    const tracking = await carrier.track(shipmentId);
    if (!tracking) return;
    const unknown = { carrier: null, trackingNumber: null, detail: null };
    await applyCarrierUpdate(deps.db, deps.encoder, { shipmentId, ...tracking, ...unknown });
  };

  return {
    /** Books a carrier for what is paid, as far as it answers. */
    async bookShipments(orderId: string, ids: string[]): Promise<OrderProgress> {
      return progressOf(await book(await existingOrder(deps.db, orderId), ids));
    },

    /** Calls bookings off. The carrier's yes is the point of no return, so every answer is needed before the next step. */
    async callOffShipments(orderId: string, ids: string[], request: CancelRequest): Promise<CalledOff> {
      const answers = await Promise.all(ids.map(async (id) => ({ id, answer: await carrier.cancel(id) })));
      const off = answers.filter(({ answer }) => answer === 'cancelled').map(({ id }) => id);
      const progress = await recordCalledOff(deps, orderId, off, request);
      const isGivenUp = (id: string): boolean =>
        progress.fulfillments.some((f) => f.id === id && f.status === (request.as ?? 'cancelled'));
      return { progress, tooLate: ids.filter((id) => !isGivenUp(id)) };
    },

    /** Asks the carrier where these shipments are, and applies what it says as if it had told us. */
    async trackShipments(orderId: string, ids: string[]): Promise<OrderProgress> {
      await answersOf(ids, track);
      return readProgress(deps.db, orderId);
    },
  };
}

/** Books a carrier for what is paid. A shipment without an answer stays as it is. */
export type Book = (order: OrderRecord, ids: readonly string[]) => Promise<OrderRecord>;

export function createBook(deps: ActivityDependencies): Book {
  const { carrier } = deps;
  const ask = async ({ shipmentId, ...rest }: BookingIntent): Promise<BookingAnswer> => {
    const request = { key: shipmentId, ...rest };
    const quote = cheapest(await carrier.quote(request));
    // Without a quote the carrier has the last word: an attempt whose answer was lost may have booked.
    return { shipmentId, ...(await carrier.book({ ...request, service: quote?.service ?? null })) };
  };
  return async (order, ids) => {
    const answers = await answersOf(bookingIntents(order, ids), ask);
    return answers.length > 0 ? recordBookings(deps, order, answers) : order;
  };
}

/** Of two at the same price the quicker one, and then always the same one. */
function cheapest(quotes: readonly Quote[]): Quote | undefined {
  const rank = (a: Quote, b: Quote): number =>
    a.price - b.price || a.promisedDays - b.promisedDays || (a.service < b.service ? -1 : 1);
  return quotes.toSorted(rank)[0];
}
