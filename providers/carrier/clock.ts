import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { CarrierFault } from '../../platform/config/settings.ts';
import type { Logger } from '../../platform/logger.ts';
import { createFaults } from '../simulation.ts';
import type { Faults } from '../simulation.ts';
import type { SimulatorDatabase } from '../tables.ts';
import type { CarrierNews, DeliverNews, RunningPushes, TrackedStatus } from './port.ts';
import { updateIdOf } from './simulator.ts';
import { SIMULATED_CARRIER } from './tariff.ts';

export interface CarrierClockOptions {
  /** The carrier's own memory. */
  db: SimulatorDatabase;
  /** From pick-up to delivery. */
  transitMs: number;
  faults: readonly FaultRule<CarrierFault>[];
  deliver: DeliverNews;
  logger: Logger;
  /** Most news told at once. @default 500 */
  batch?: number;
}

/** Pauses between two looks at what is due, ms: short while there is news, so that a busy hour goes out in batches. */
const PAUSE_MS = { busy: 50, idle: 200, afterFailure: 1_000 } as const;
/** News that was not taken waits this long, and does not hold up the others. */
const PUT_OFF_MS = 2_000;

interface Due {
  key: string;
  tracking_number: string;
  status: TrackedStatus;
  status_at: Date;
  next_status: TrackedStatus;
  next_at: Date;
}

/** One thing to be told of a parcel. */
type Fact = Pick<Due, 'key' | 'tracking_number'> & { status: TrackedStatus; at: Date };

/**
 * Makes the simulated carrier speak: tells of every parcel that was picked up or delivered, in the order it happened
 * to the parcel, at least once, also what fell due while nobody ran. Several clocks share the work.
 */
export function startCarrierClock(options: CarrierClockOptions): RunningPushes {
  const { db, logger, batch = 500 } = options;
  const faults = createFaults(options.faults);
  const putOff = new Map<string, number>();
  const stopping = new AbortController();
  let failure: string | null = null;

  const round = async (): Promise<number> => {
    const waiting = stillWaiting(putOff);
    return db.transaction().execute(async (tx) => {
      const due = await claimDue(tx, waiting, batch);
      const told = await tell(due, faults, options.deliver);
      for (const { key } of due) if (!told.has(key)) putOff.set(key, performance.now() + PUT_OFF_MS);
      await advance(tx, [...told], faults, options.transitMs);
      return due.length;
    });
  };
  const guarded = async (): Promise<number> => {
    try {
      const due = await round();
      failure = null;
      return due > 0 ? PAUSE_MS.busy : PAUSE_MS.idle;
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      logger.warn({ err: error }, 'carrier news delayed');
      return PAUSE_MS.afterFailure;
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const pause = await guarded();
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const ended = loop();
  return {
    check: () => failure,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

/** The keys whose time has not come yet; the others are forgotten. */
function stillWaiting(putOff: Map<string, number>): string[] {
  const now = performance.now();
  for (const [key, until] of putOff) if (until <= now) putOff.delete(key);
  return [...putOff.keys()];
}

/** The rows stay locked until the end of the transaction: no other clock tells the same at the same time. */
async function claimDue(tx: SimulatorDatabase, except: string[], batch: number): Promise<Due[]> {
  const { rows } = await sql<Due>`
    select key, tracking_number, status, status_at, next_status, next_at from simulated_bookings
    where next_at <= now() and key <> all(${except}::text[])
    order by next_at limit ${batch} for update skip locked`.execute(tx);
  return rows;
}

/** Returns the keys whose news is out; a silent parcel's is never sent. */
async function tell(due: Due[], faults: Faults<CarrierFault>, deliver: DeliverNews): Promise<Set<string>> {
  const toTell = new Map(due.map((row) => [row.key, factsOf(row, faults).map(newsOf)]));
  const garbled = due.filter(({ key }) => faults.strikes('garbled', key)).map((row) => garble(newsOf(now(row))));
  const news = [...garbled, ...[...toTell.values()].flat()];
  const done = news.length > 0 ? await deliver(news) : new Set<string>();
  const again = due.filter(({ key }) => faults.strikes('duplicate', key)).flatMap(({ key }) => toTell.get(key) ?? []);
  if (again.length > 0) await deliver(again);
  const isTold = ({ key }: Due): boolean => (toTell.get(key) ?? []).every(({ updateId }) => done.has(updateId));
  return new Set(due.filter(isTold).map(({ key }) => key));
}

/** What there is to tell of a parcel now, in the order it is told. */
function factsOf(row: Due, faults: Faults<CarrierFault>): Fact[] {
  if (faults.strikes('silent', row.key)) return [];
  if (!faults.strikes('reordered', row.key)) return [now(row)];
  // The pick-up is told after what followed on it.
  if (row.next_status === 'dispatched') return [];
  return row.status === 'dispatched' ? [now(row), before(row)] : [now(row)];
}

const now = ({ key, tracking_number, next_status: status, next_at: at }: Due): Fact => ({
  ...{ key, tracking_number },
  ...{ status, at },
});
const before = ({ key, tracking_number, status, status_at: at }: Due): Fact => ({
  ...{ key, tracking_number },
  ...{ status, at },
});

function newsOf({ key, status, at, tracking_number }: Fact): CarrierNews {
  return {
    updateId: updateIdOf(key, status),
    shipmentId: key,
    status,
    at: at.getTime(),
    carrier: SIMULATED_CARRIER,
    trackingNumber: tracking_number,
    detail: status === 'deliveryFailed' ? 'nobody at home' : null,
  };
}

/** The same push with a status no contract knows: nobody can do anything with it, and the true one comes as well. */
function garble(news: CarrierNews): CarrierNews {
  return { ...news, updateId: `${news.updateId}/garbled`, status: 'lost in space' as TrackedStatus };
}

/** After pick-up comes delivery; after a failed delivery the way back or a second attempt, as long again. */
async function advance(
  tx: SimulatorDatabase,
  keys: string[],
  faults: Faults<CarrierFault>,
  transitMs: number,
): Promise<void> {
  if (keys.length === 0) return;
  const redelivered = keys.filter((key) => faults.strikes('redelivered', key));
  const failing = keys.filter((key) => redelivered.includes(key) || faults.strikes('deliveryFailed', key));
  await sql`
    update simulated_bookings as b set
      status = next_status,
      status_at = next_at,
      next_status = case next_status
        when 'dispatched' then case when key = any(${failing}::text[]) then 'deliveryFailed' else 'delivered' end
        when 'deliveryFailed' then
          case when key = any(${redelivered}::text[]) then 'delivered' else 'returnedToSender' end end,
      next_at = case when next_status in ('dispatched', 'deliveryFailed') then next_at + ${transitMs}::float8 * interval '1 ms' end
    where key = any(${keys}::text[])`.execute(tx);
}
