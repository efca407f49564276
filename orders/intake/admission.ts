import type { Database } from '../../database/database.ts';
import { countOpenOrders } from '../../database/ledger/ledger.ts';
import { grouped } from '../../domain/rules.ts';
import type { Logger } from '../../platform/logger.ts';

/** Keeps new work out while too many orders are open. */
export interface Admission {
  /** Why no more records may be taken now; undefined when they may. Answers from a count at most about 1 s old. */
  reason(): string | undefined;
  /** Orders opened by this process, until the next count includes them. */
  opened(orders: number): void;
}

const MAX_AGE_MS = 1_000;

/** `limit` 0 = no limit. A database that does not answer changes nothing: the chunk's own queries will tell. */
export function createAdmission(options: { db: Database; limit: number; logger: Logger }): Admission {
  const { db, limit, logger } = options;
  let open: number | undefined;
  let countedAt = -Infinity;
  let counting = false;
  const count = async (): Promise<void> => {
    counting = true;
    try {
      open = await countOpenOrders(db, limit + 1);
      countedAt = performance.now();
    } catch (err) {
      logger.warn({ err }, 'open orders not counted');
    } finally {
      counting = false;
    }
  };
  return {
    opened: (orders) => void (open = (open ?? 0) + orders),
    reason: () => {
      if (limit === 0) return undefined;
      if (!counting && performance.now() - countedAt > MAX_AGE_MS) void count();
      if (open === undefined) return 'open orders are being counted';
      return open > limit ? `more than ${grouped(limit)} orders are open (OMS_INGEST_OPEN_ORDERS_LIMIT)` : undefined;
    },
  };
}
