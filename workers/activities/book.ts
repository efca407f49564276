import type { OrderRecord } from '../../orders/record/record.ts';
import { bookingIntents, recordBookings } from '../../orders/steps/shipping.ts';
import type { BookingAnswer, BookingIntent } from '../../orders/steps/shipping.ts';
import type { Quote } from '../../providers/carrier/port.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './failures.ts';

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
export function cheapest(quotes: readonly Quote[]): Quote | undefined {
  const rank = (a: Quote, b: Quote): number =>
    a.price - b.price || a.promisedDays - b.promisedDays || (a.service < b.service ? -1 : 1);
  return quotes.toSorted(rank)[0];
}
