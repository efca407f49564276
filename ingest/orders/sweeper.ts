import { databaseError, transaction } from '../../database/database.ts';
import { intendDeadLetters, unsentDeadLetters } from '../../database/dead-letters.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { staleClaims } from '../../database/ledger/ledger.ts';
import { ordersWithStrays, parkedFor, takeOverdue } from '../../database/ledger/parked-events.ts';
import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import { faultError } from '../../domain/errors.ts';
import { confirm, deliver } from '../../orders/intake/deliver.ts';
import type { DeliverOptions, Lane } from '../../orders/intake/deliver.ts';
import { deadLetter, undeliveredLetters } from '../../outbox/dead-letters.ts';
import type { DeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { IngestMetrics } from '../metrics.ts';

export interface SweeperOptions extends DeliverOptions {
  office: DeadLetterOffice;
  metrics: IngestMetrics;
  /** Claims and dead letters younger than this belong to a chunk that is under way. @default 60 s */
  graceMs?: number;
}

/** What one sweep came across. */
export interface Sweep {
  /** Events whose order did not come in time: dead letters now. */
  overdue: number;
  /** Orders that were told what had been parked for them, or started because their start was never confirmed. */
  caughtUp: number;
  /** Dead letters that had been written down but not sent. */
  resent: number;
}

/** Orders or letters taken at once. */
const BATCH = 200;

/**
 * Looks after what no record will bring up again: parked events past their deadline, and whatever a process that died
 * left half done. Any number of processes may sweep at the same time.
 * @throws OmsError, retryable, when the environment is away
 */
export function createSweeper(options: SweeperOptions): (signal: AbortSignal) => Promise<Sweep> {
  return async (signal) => {
    try {
      return {
        overdue: await refuseOverdue(options, signal),
        caughtUp: await catchUp(options, signal),
        resent: await resend(options),
      };
    } catch (error) {
      throw databaseError(error);
    }
  };
}

/** Taking the event away and writing the dead letter's intent down is one transaction: neither happens alone. */
async function refuseOverdue(options: SweeperOptions, signal: AbortSignal): Promise<number> {
  let refused = 0;
  while (!signal.aborted) {
    const letters = await transaction(options.db, async (tx) => {
      const overdue = (await takeOverdue(tx, BATCH)).map(neverCame);
      if (overdue.length > 0) await intendDeadLetters(tx, overdue);
      return overdue;
    });
    if (letters.length === 0) return refused;
    options.metrics.deadLetters(await options.office.send(letters));
    refused += letters.length;
  }
  return refused;
}

function neverCame({ orderId, source, record }: LifecycleRecord): DeadLetter {
  const rule = 'must be placed before the deadline of the events that wait for it';
  const error = faultError('OMS_INGEST_ORDER_NEVER_CAME', { field: 'orderId', value: orderId, rule });
  return deadLetter({ error, orderId, source, record });
}

async function catchUp(options: SweeperOptions, signal: AbortSignal): Promise<number> {
  const { db, graceMs = 60_000 } = options;
  const claimed = await staleClaims(db, graceMs, BATCH);
  const orderIds = new Set([...claimed.keys(), ...(await ordersWithStrays(db, BATCH))]);
  if (orderIds.size === 0) return 0;
  const parked = Map.groupBy(await parkedFor(db, [...orderIds]), (event) => event.orderId);
  const lanes = [...orderIds].map((orderId): Lane => ({
    orderId,
    source: claimed.get(orderId) ?? null,
    start: claimed.has(orderId),
    parked: parked.get(orderId) ?? [],
    signals: [],
  }));
  const delivery = await deliver(options, lanes, signal);
  options.metrics.deadLetters(await options.office.send(undeliveredLetters(delivery)));
  await confirm(db, delivery, []);
  if (delivery.failure !== undefined) throw delivery.failure;
  return lanes.length;
}

async function resend({ db, office, metrics, graceMs = 60_000 }: SweeperOptions): Promise<number> {
  const sent = await office.send(await unsentDeadLetters(db, graceMs, BATCH));
  metrics.deadLetters(sent);
  return sent.length;
}
