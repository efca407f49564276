import { databaseError } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { takeParkedNews, unparkCarrierNews } from '../../database/ledger/parked-carrier-news.ts';
import type { DueNews } from '../../database/ledger/parked-carrier-news.ts';
import type { NewsOutcome } from '../../orders/intake/carrier-news.ts';
import type { DeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { Logger } from '../../platform/logger.ts';
import { neverCame, neverTaken, newsLetter, unknown } from './handler.ts';
import type { CountNews } from './metrics.ts';
import { isTaken } from './receiver.ts';
import type { CarrierReceiver } from './receiver.ts';

export interface ParkingOptions {
  db: Database;
  receiver: CarrierReceiver;
  office: DeadLetterOffice;
  count: CountNews;
  onDeadLetters: (sent: readonly DeadLetter[]) => void;
  logger: Logger;
  /** Least time between two tries of the same news, ms. */
  restMs: number;
}

const BATCH = 200;

/**
 * Tries parked news again; what is past its deadline, or can never come, is refused. Safe to run in several processes.
 * @throws OmsError, retryable, when the environment is away
 */
export async function retryParked(options: ParkingOptions, signal: AbortSignal): Promise<void> {
  for (let taken = BATCH; taken === BATCH && !signal.aborted;) taken = await retryBatch(options);
}

async function retryBatch(options: ParkingOptions): Promise<number> {
  try {
    const due = await takeParkedNews(options.db, options.restMs, BATCH);
    const outcomes = await options.receiver.take(due, 'parked');
    const judged = due.map((one, i) => ({ one, end: endOf(one, outcomes[i] ?? 'away') }));
    const refused = judged.flatMap(({ one, end }) => (typeof end === 'function' ? [{ one, why: end }] : []));
    const letters = refused.flatMap(({ one, why }) => newsLetter(one, why));
    options.onDeadLetters(await options.office.send(letters));
    for (const { one, why } of refused) note(options, one, why(one.news));
    const ended = judged.filter(({ end }) => end !== 'waits').map(({ one }) => one);
    await unparkCarrierNews(options.db, ended);
    return due.length;
  } catch (error) {
    throw databaseError(error);
  }
}

/** Taken in, waiting on, or refused: then why. */
function endOf({ overdue }: DueNews, outcome: NewsOutcome): 'taken' | 'waits' | typeof unknown {
  if (isTaken(outcome)) return 'taken';
  if (outcome === 'unknown') return unknown;
  if (outcome === 'away' || !overdue) return 'waits';
  return outcome === 'failed' ? neverTaken : neverCame;
}

/** News that came by push leaves no dead letter: the log and the count are all there is of it. */
function note({ logger, count }: ParkingOptions, { news, record }: DueNews, err: Error): void {
  if (record === null)
    logger.warn({ shipmentId: news.shipmentId, updateId: news.updateId, err }, 'carrier news given up');
  count('parked', 'refused');
}
