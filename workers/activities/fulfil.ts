import { OmsError, isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { FIRST_ATTEMPT } from '../../domain/provider-policies.ts';
import { progressOf } from '../../orders/record/progress.ts';
import type { OrderRecord } from '../../orders/record/record.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Book } from './carrier.ts';
import type { Charge } from './payment.ts';

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

/** Runs a call to a provider as one quick attempt. */
type QuickAttempt = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * Attempts for a local activity: refused at once while the provider has just failed or been slow, so that an outage
 * costs each order no time here and the slots stay free for others.
 */
export function createQuickAttempt(away: ErrorCode, now: () => number = () => performance.now()): QuickAttempt {
  let restsUntil = -Infinity;
  const rest = (): void => void (restsUntil = now() + FIRST_ATTEMPT.restMs);
  return async (call) => {
    if (now() < restsUntil) throw new OmsError(away, 'the provider failed a moment ago');
    const slow = setTimeout(rest, FIRST_ATTEMPT.slowAfterMs);
    try {
      return await call();
    } catch (error) {
      if (isOmsError(error) && error.code === away) rest();
      throw error;
    } finally {
      clearTimeout(slow);
    }
  };
}
