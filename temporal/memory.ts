import { databaseError } from '../database/database.ts';
import type { Database } from '../database/database.ts';
import { readLedgerSince } from '../database/deployment/deployment.ts';
import { faultError } from '../domain/errors.ts';
import type { OmsError } from '../domain/errors.ts';

/** What of an event tells how old it is. */
export interface Aged {
  /** Upstream's time, ms since the epoch. */
  occurredAt: number;
  /** Of the record, ms since the epoch; -1 where it has none. */
  record: { timestamp: number };
}

/** Whether "the ledger does not know this order" means that it is new. */
export interface Memory {
  /** Why it does not: the fault for the dead letter. Undefined where it does. */
  staleness(event: Aged): OmsError | undefined;
}

/** A ledger that has known every order from the first on: all but a deployment whose database was replaced. */
export const completeMemory: Memory = { staleness: () => undefined };

/** Clocks differ, and a record may be stamped a little after its order was started. */
const MARGIN_MS = 60 * 60_000;

export interface MemoryOptions {
  /** Since when the ledger is complete, ms since the epoch; undefined = from the first order on. */
  ledgerSinceMs: number | undefined;
  /** How long Temporal remembers a workflow after its close, ms. */
  retentionMs: number;
  /** Clock in ms. */
  now?: () => number;
}

/**
 * The ledger decides about all that came since it is complete. Of what is older, Temporal still knows what it may have
 * run if it is younger than the retention: that counts from the close of a workflow, which no order event precedes. What
 * is older than both may have been shipped and charged long ago.
 */
export function createMemory({ ledgerSinceMs, retentionMs, now = Date.now }: MemoryOptions): Memory {
  if (ledgerSinceMs === undefined) return completeMemory;
  return {
    staleness: (event) => {
      // Upstream's time counts too: what it exports anew is a fresh record of an old order.
      const at = Math.min(event.record.timestamp, event.occurredAt);
      const from = Math.min(ledgerSinceMs, now() - retentionMs + MARGIN_MS);
      return at < from ? staleError(at, from) : undefined;
    },
  };
}

function staleError(at: number, from: number): OmsError {
  const rule =
    `must be ${timeText(from)} or later: neither this ledger nor Temporal remembers orders from before. ` +
    'Rebuild the ledger, or start it by `oms replay plan --allow-stale` if it is known to be new';
  return faultError('OMS_INGEST_STALE', { field: 'occurredAt', value: timeText(at), rule });
}

const timeText = (ms: number): string => (ms < 0 ? 'no time' : new Date(ms).toISOString());

/**
 * A memory that is read from the deployment before it is first asked.
 * @param retention how long Temporal remembers a closed workflow, ms
 */
export function createDeploymentMemory(options: {
  db: Database;
  retention: () => Promise<number>;
}): Memory & { load(): Promise<void> } {
  let memory: Memory | undefined;
  return {
    load: async () => {
      const ledgerSince = await readLedgerSince(options.db).catch((error: unknown) => {
        throw databaseError(error);
      });
      memory = createMemory({ ledgerSinceMs: ledgerSince?.getTime(), retentionMs: await options.retention() });
    },
    staleness: (event) => {
      if (!memory) throw new Error('the memory is not loaded');
      return memory.staleness(event);
    },
  };
}
