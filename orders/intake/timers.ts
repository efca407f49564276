import type { OrderTimers } from '../../domain/contract.ts';
import type { Config } from '../../platform/config/settings.ts';

/** The timers of an order by its source, as they are configured now; an order keeps those it was started with. */
export function timersOf(config: Config): (source: string | null) => OrderTimers {
  const general: OrderTimers = {
    customerActionMs: config.OMS_CUSTOMER_ACTION_TIMEOUT,
    carrierOverdueMs: config.OMS_CARRIER_OVERDUE,
    reservationMs: config.OMS_RESERVATION_DEADLINE,
    paymentHoldMs: config.OMS_PAYMENT_HOLD,
    shipByMs: config.OMS_SHIP_BY,
    deliverByMs: config.OMS_DELIVER_BY,
  };
  return (source) => ({ ...general, ...(source === null ? {} : config.OMS_SOURCE_TIMERS[source]) });
}
