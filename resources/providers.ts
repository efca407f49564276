import { applyMigrations } from '../database/apply-migrations.ts';
import { openDatabase } from '../database/database.ts';
import type { Database } from '../database/database.ts';
import type { Config } from '../platform/config/settings.ts';
import type { Logger } from '../platform/logger.ts';
import { startCarrierClock } from '../providers/carrier/clock.ts';
import type { CarrierProvider, CarrierPushes } from '../providers/carrier/port.ts';
import { createCarrierSimulator } from '../providers/carrier/simulator.ts';
import { SIMULATOR_MIGRATIONS } from '../providers/migrations.ts';
import type { PaymentProvider } from '../providers/payment/port.ts';
import { createPaymentSimulator } from '../providers/payment/simulator.ts';
import type { SimulatorTables } from '../providers/tables.ts';
import { withTimeLimit } from '../providers/time-limit.ts';

/** The companies outside, each behind its port. */
export interface Providers {
  payment: PaymentProvider;
  carrier: CarrierProvider;
  close(): Promise<void>;
}

/** Enough for some hundred calls a second; the simulators share nothing with the OMS but the server. */
const SIMULATOR_CONNECTIONS = 4;

/** One for the transaction that holds what is being told, one to spare. */
const CLOCK_CONNECTIONS = 2;

/** The providers this deployment uses; for now the simulated ones. */
export function openProviders(config: Config): Providers {
  const db = openDatabase<SimulatorTables>({
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

/** What the carriers of this deployment push. The simulated one has connections of its own: it is somebody else's system. */
export function carrierPushes(config: Config, logger: Logger): CarrierPushes {
  const start: CarrierPushes['start'] = (deliver) => {
    const db = openDatabase<SimulatorTables>({
      url: config.DATABASE_URL,
      poolSize: CLOCK_CONNECTIONS,
      applicationName: 'oms-simulated-carrier',
    });
    const { OMS_SIM_CARRIER_TRANSIT: transitMs, OMS_SIM_CARRIER_FAULTS: faults } = config;
    const clock = startCarrierClock({ db, transitMs, faults, deliver, logger });
    const stop = async (): Promise<void> => {
      await clock.stop();
      await db.destroy();
    };
    return { check: () => clock.check(), stop };
  };
  return { start };
}

/** Brings the simulators' tables up to this version, once those of the OMS are. Returns what was applied. */
export function setUpProviders(db: Database): Promise<string[]> {
  return applyMigrations(db, SIMULATOR_MIGRATIONS);
}
