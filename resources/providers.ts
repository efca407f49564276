import { openDatabase } from '../database/database.ts';
import type { Config } from '../platform/config/settings.ts';
import type { CarrierProvider } from '../providers/carrier/port.ts';
import { createCarrierSimulator } from '../providers/carrier/simulator.ts';
import type { PaymentProvider } from '../providers/payment/port.ts';
import { createPaymentSimulator } from '../providers/payment/simulator.ts';
import { withTimeLimit } from '../providers/time-limit.ts';

/** The companies outside, each behind its port. */
export interface Providers {
  payment: PaymentProvider;
  carrier: CarrierProvider;
  close(): Promise<void>;
}

/** Enough for some hundred calls a second; the simulators share nothing with the OMS but the server. */
const SIMULATOR_CONNECTIONS = 4;

/** The providers this deployment uses; for now the simulated ones. */
export function openProviders(config: Config): Providers {
  const db = openDatabase({
    url: config.DATABASE_URL,
    poolSize: SIMULATOR_CONNECTIONS,
    applicationName: 'oms-simulated-providers',
  });
  const payment = createPaymentSimulator({
    db,
    latencyMs: config.OMS_SIM_PAYMENT_LATENCY,
    faults: config.OMS_SIM_PAYMENT_FAULTS,
  });
  const carrier = createCarrierSimulator({
    db,
    latencyMs: config.OMS_SIM_CARRIER_LATENCY,
    pickupMs: config.OMS_SIM_CARRIER_PICKUP,
    faults: config.OMS_SIM_CARRIER_FAULTS,
    news: config.OMS_SIM_CARRIER_NEWS,
  });
  return {
    payment: withTimeLimit(payment, { ms: config.OMS_PAYMENT_TIMEOUT, away: 'OMS_PAYMENT_UNAVAILABLE' }),
    carrier: withTimeLimit(carrier, { ms: config.OMS_CARRIER_TIMEOUT, away: 'OMS_CARRIER_UNAVAILABLE' }),
    close: () => db.destroy(),
  };
}
