import type { Database } from '../../database/database.ts';
import { ledgerStates } from '../../database/ledger/ledger.ts';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { isOmsError } from '../../domain/errors.ts';
import { previewCarrierUpdates } from '../../orders/steps/carrier-updates.ts';
import type { AppliedUpdate } from '../../orders/steps/carrier-updates.ts';
import type { NewsOutcome } from './metrics.ts';

/** What applying news came to; null when no worker has taken the order yet. */
export async function ifTaken(applying: Promise<AppliedUpdate[]>): Promise<AppliedUpdate[] | null> {
  try {
    return await applying;
  } catch (error) {
    if (isOmsError(error) && error.code === 'OMS_ORDER_UNKNOWN') return null;
    throw error;
  }
}

/** What becomes of one order's news, by what applying it came to. `parked` is yet to be done. */
export async function outcomesOf(
  db: Database,
  orderId: string,
  news: readonly CarrierUpdate[],
  updates: readonly AppliedUpdate[] | null,
): Promise<NewsOutcome[]> {
  if (updates) return updates.map(outcomeOf);
  const outcome = (await isExpected(db, orderId)) ? 'parked' : 'unknown';
  return news.map(() => outcome);
}

/**
 * What would become of one order's news, in the order given, by the same decisions; nothing is changed by it.
 * @throws whatever applying throws
 */
export async function previewNews(
  db: Database,
  orderId: string,
  news: readonly CarrierUpdate[],
): Promise<NewsOutcome[]> {
  return outcomesOf(db, orderId, news, await ifTaken(previewCarrierUpdates(db, orderId, news)));
}

function outcomeOf({ applied, late, shipmentStatus, mayCome }: AppliedUpdate): NewsOutcome {
  if (shipmentStatus === null) return mayCome ? 'parked' : 'unknown';
  if (applied) return 'applied';
  return late ? 'late' : 'repeated';
}

/** An order the ledger knows, or awaits, may have this shipment soon; of an order never seen nothing is to be expected. */
async function isExpected(db: Database, orderId: string): Promise<boolean> {
  const state = (await ledgerStates(db, [orderId])).get(orderId);
  return state !== undefined && state !== 'closed';
}
