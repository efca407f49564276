import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { databaseError } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { parkCarrierNews } from '../../database/ledger/parked-carrier-news.ts';
import type { EventEncoder } from '../../database/outbox/outbox.ts';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { SHIPMENT_STATUS_SIGNAL } from '../../domain/contract.ts';
import type { ShipmentStatusSignal } from '../../domain/contract.ts';
import { isOmsError } from '../../domain/errors.ts';
import { orderIdOf, orderWorkflowId } from '../../domain/ids.ts';
import { checkNews, ifTaken, outcomesOf } from '../../orders/intake/carrier-news.ts';
import type { GivenNews, NewsOutcome } from '../../orders/intake/carrier-news.ts';
import { applyCarrierUpdates } from '../../orders/steps/carrier-updates.ts';
import type { AppliedUpdate } from '../../orders/steps/carrier-updates.ts';
import type { Logger } from '../../platform/logger.ts';
import type { CarrierNews } from '../../providers/carrier/port.ts';
import { temporalError } from '../../temporal/order-workflows.ts';
import type { CountNews, NewsWay } from './metrics.ts';

export interface CarrierReceiverOptions {
  db: Database;
  encoder: EventEncoder;
  temporal: Pick<Client, 'workflow' | 'withDeadline'>;
  logger: Logger;
  count: CountNews;
  /** How long news waits for its shipment, ms. */
  parkingDeadlineMs: number;
  /** Orders whose news is taken in at once. @default 8 */
  maxInFlight?: number;
}

export interface CarrierReceiver {
  /** Takes pushes in. Never rejects; resolves with the ids of what is done, the rest is to come again. */
  deliver: (news: readonly CarrierNews[]) => Promise<ReadonlySet<string>>;
  /** Takes news in, whatever way it came, and answers what became of each. Never rejects. */
  take: (given: readonly GivenNews[], way: NewsWay) => Promise<NewsOutcome[]>;
  /** Null while news can be taken in, else why the last could not. */
  check(): string | null;
  /** What `check` tells of, as it was thrown. */
  failure(): Error | null;
}

/** In the database, whatever came of it. */
export function isTaken(outcome: NewsOutcome): boolean {
  return outcome === 'applied' || outcome === 'repeated' || outcome === 'late';
}

/** Not done: it is to be delivered again. */
function comesAgain(outcome: NewsOutcome): boolean {
  return outcome === 'failed' || outcome === 'away';
}

/**
 * Writes carrier news to the order's state, with its events, and wakes the order's workflow when there is something for
 * it to do. Done means: in the database, and the workflow told if need be; so news delivered at least once is never lost.
 * News of a shipment that may come yet is parked.
 */
export function createCarrierReceiver(options: CarrierReceiverOptions): CarrierReceiver {
  const { logger, count, maxInFlight = 8 } = options;
  let failure: Error | null = null;

  const guarded = async (orderId: string, given: GivenNews[]): Promise<NewsOutcome[]> => {
    try {
      const outcomes = await takeIn(options, orderId, given);
      failure = null;
      return outcomes;
    } catch (error) {
      const named = databaseError(error);
      failure = named instanceof Error ? named : new Error(String(named));
      logger.warn({ err: named, orderId }, 'carrier news not taken in, will come again');
      const outcome = isOmsError(named) && named.retryable ? 'away' : 'failed';
      return given.map(() => outcome);
    }
  };
  const take: CarrierReceiver['take'] = async (given, way) => {
    const outcomes = new Map<GivenNews, NewsOutcome>();
    await byOrder(given, maxInFlight, async (orderId, lane) => {
      const ofLane = await guarded(orderId, lane);
      lane.forEach((one, i) => outcomes.set(one, ofLane[i] ?? 'failed'));
      return ofLane.includes('away');
    });
    // What was not tried any more, once a part was found away.
    const all = given.map((one) => outcomes.get(one) ?? 'away');
    all.forEach((outcome, i) => {
      // Of parked news only its end is counted, once.
      if (way !== 'parked' || isTaken(outcome)) count(way, outcome);
      if (outcome === 'unknown') logger.warn(about(given[i]?.news), 'carrier news of an unknown shipment');
    });
    return all;
  };
  return {
    check: () => failure?.message ?? null,
    failure: () => failure,
    take,
    deliver: async (news) => {
      const valid = news.filter((one) => isValid(one, options));
      const outcomes = await take(
        valid.map((one) => ({ news: one, record: null })),
        'push',
      );
      const again = new Set(valid.filter((_, i) => comesAgain(outcomes[i] ?? 'away')).map(({ updateId }) => updateId));
      return new Set(news.map(({ updateId }) => updateId).filter((id) => !again.has(id)));
    },
  };
}

/** A push nobody can do anything with is written to the log, counted, and done with: it would be the same next time. */
function isValid(news: CarrierNews, { logger, count }: CarrierReceiverOptions): boolean {
  try {
    checkNews(news);
    return true;
  } catch (error) {
    if (!isOmsError(error)) throw error;
    logger.warn({ ...about(news), err: error }, 'carrier news that breaks a rule');
    count('push', 'invalid');
    return false;
  }
}

function about(news: CarrierUpdate | undefined): Record<string, unknown> {
  return { shipmentId: news?.shipmentId, updateId: news?.updateId, status: news?.status };
}

/** News of one order. @throws whatever applying or waking throws */
async function takeIn(
  options: CarrierReceiverOptions,
  orderId: string,
  given: readonly GivenNews[],
): Promise<NewsOutcome[]> {
  const { db, encoder, temporal, logger, parkingDeadlineMs } = options;
  const news = given.map((one) => one.news);
  const updates = await ifTaken(applyCarrierUpdates(db, encoder, orderId, news));
  const waking = updates?.findLastIndex(({ wakes }) => wakes) ?? -1;
  const [item, update] = [news[waking], updates?.[waking]];
  if (item && update) await wake(temporal, item, update, logger);
  const outcomes = await outcomesOf(db, orderId, news, updates);
  const waiting = given.filter((_, i) => outcomes[i] === 'parked');
  await parkCarrierNews(db, waiting, parkingDeadlineMs);
  return outcomes;
}

/** News is delivered again anyway: better soon than by waiting here. */
const SIGNAL_DEADLINE_MS = 10_000;

/** A workflow that is gone needs no signal: a closed order is settled, and a lost run is settled from the database. */
async function wake(
  temporal: CarrierReceiverOptions['temporal'],
  news: CarrierUpdate,
  update: AppliedUpdate,
  logger: Logger,
): Promise<void> {
  if (update.shipmentStatus === null) return;
  const signal: ShipmentStatusSignal = {
    shipmentID: news.shipmentId,
    status: update.shipmentStatus,
    updatedAt: new Date(news.at).toISOString(),
  };
  const workflowId = orderWorkflowId(update.orderId);
  try {
    await temporal.withDeadline(Date.now() + SIGNAL_DEADLINE_MS, () =>
      temporal.workflow.getHandle(workflowId).signal(SHIPMENT_STATUS_SIGNAL, signal),
    );
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalError(error);
    logger.debug({ workflowId, orderId: update.orderId }, 'carrier news for an order that no longer runs');
  }
}

/**
 * Works through the news, that of `width` orders at once, and of each order in the order given: one step takes in all of
 * it. When `work` finds a part away, all that is left is left, for it would only wait in vain.
 */
async function byOrder(
  given: readonly GivenNews[],
  width: number,
  work: (orderId: string, lane: GivenNews[]) => Promise<boolean>,
): Promise<void> {
  const lanes = [...Map.groupBy(given, ({ news }) => orderIdOf(news.shipmentId))];
  const runner = async (): Promise<void> => {
    for (let lane = lanes.shift(); lane; lane = lanes.shift()) if (await work(...lane)) lanes.length = 0;
  };
  await Promise.all(Array.from({ length: Math.min(width, lanes.length) }, runner));
}
