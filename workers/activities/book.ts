import { bookingIntents, recordBookings } from '../../database/steps/book.ts';
import type { BookingAnswer, BookingIntent } from '../../database/steps/book.ts';
import type { OrderRecord } from '../../database/orders/record.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './outcomes.ts';

/** Books a carrier for what is paid. A shipment without an answer stays as it is. */
export type Book = (order: OrderRecord, ids: readonly string[]) => Promise<OrderRecord>;

export function createBook(deps: ActivityDependencies): Book {
  const ask = async ({ shipmentId, ...rest }: BookingIntent): Promise<BookingAnswer> => ({
    shipmentId,
    ...(await deps.carrier.book({ key: shipmentId, ...rest })),
  });
  return async (order, ids) => {
    const answers = await answersOf(bookingIntents(order, ids), ask);
    return answers.length > 0 ? recordBookings(deps, order, answers) : order;
  };
}
