import type { Config } from '../../platform/config/settings.ts';
import { openDatabase } from '../../database/database.ts';
import type { Check } from '../../platform/health.ts';
import { startCarrierClock } from '../../providers/carrier/clock.ts';
import { createCarrierReceiver } from './receiver.ts';
import type { CarrierReceiverOptions } from './receiver.ts';

export interface RunningCarrierReceiver {
  ready: Record<string, Check>;
  /** Resolves when what was being taken in is done. */
  stop(): Promise<void>;
}

/** One for the transaction that holds what is being told, one to spare. */
const CLOCK_CONNECTIONS = 2;

/**
 * The carrier's ways into the OMS, as the ingest role runs them: today the simulated carrier's pushes. `db` is the
 * role's; the simulated carrier opens its own, since it is somebody else's system.
 */
export function startCarrierReceiver(options: CarrierReceiverOptions & { config: Config }): RunningCarrierReceiver {
  const { config, logger } = options;
  const receiver = createCarrierReceiver(options);
  const carrierDb = openDatabase({
    url: config.DATABASE_URL,
    poolSize: CLOCK_CONNECTIONS,
    applicationName: 'oms-simulated-carrier',
  });
  const clock = startCarrierClock({
    db: carrierDb,
    transitMs: config.OMS_SIM_CARRIER_TRANSIT,
    faults: config.OMS_SIM_CARRIER_FAULTS,
    deliver: receiver.deliver,
    logger,
  });
  return {
    ready: { carrier: () => clock.check() ?? receiver.check() },
    stop: async () => {
      await clock.stop();
      await carrierDb.destroy();
    },
  };
}
