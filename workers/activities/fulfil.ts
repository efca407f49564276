import type { OrderProgress } from '../../domain/progress.ts';
import { progressOf } from '../../orders/record/progress.ts';
import type { OrderRecord } from '../../orders/record/record.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Book } from './book.ts';
import type { Charge } from './charge.ts';
import { createQuickAttempt } from './quick.ts';

/** The quick way through charge and book, for as long as the providers answer at once. */
export function createQuickActivities({ charge, book, logger }: { charge: Charge; book: Book; logger: Logger }) {
  const atPayment = createQuickAttempt('OMS_PAYMENT_UNAVAILABLE');
  const atCarrier = createQuickAttempt('OMS_CARRIER_UNAVAILABLE');

  /** A carrier that does not answer takes nothing back of what is paid. */
  const bookIfCan = async (order: OrderRecord, ids: string[]): Promise<OrderRecord> => {
    try {
      return await atCarrier(() => book(order, ids));
    } catch (error) {
      logger.warn({ orderId: order.orderId, err: error }, 'booking left for later');
      return order;
    }
  };

  return {
    /** Charges these fulfillments and books what is paid, as far as the providers answer. */
    async tryFulfil(orderId: string, ids: string[]): Promise<OrderProgress> {
      const charged = await atPayment(() => charge(orderId, ids));
      return progressOf(await bookIfCan(charged, ids));
    },
  };
}
