import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { applyCarrierUpdates } from '../../database/carrier-updates.ts';
import type { AppliedUpdate } from '../../database/carrier-updates.ts';
import type { Database } from '../../database/database.ts';
import type { EventEncoder } from '../../database/outbox.ts';
import { SHIPMENT_STATUS_SIGNAL } from '../../domain/contract.ts';
import type { ShipmentStatusSignal } from '../../domain/contract.ts';
import { isOmsError } from '../../domain/errors.ts';
import { orderIdOf, orderWorkflowId } from '../../domain/ids.ts';
import type { Logger } from '../../platform/logger.ts';
import { Counter } from '../../platform/metrics.ts';
import type { Registry } from '../../platform/metrics.ts';
import type { CarrierNews } from '../../providers/carrier/port.ts';
import { temporalError } from '../order-workflows.ts';

export interface CarrierReceiverOptions {
  db: Database;
  encoder: EventEncoder;
  temporal: Pick<Client, 'workflow' | 'withDeadline'>;
  logger: Logger;
  metrics: Registry;
  /** Orders whose news is taken in at once. @default 8 */
  maxInFlight?: number;
}

/**
 * What became of one piece of news. The last two are not done, it has to be delivered again: `failed` for a reason of its
 * own, `away` because the database or Temporal is.
 */
type Outcome = 'applied' | 'repeated' | 'unknown' | 'failed' | 'away';

export interface CarrierReceiver {
  /** Takes news in, whatever way it came. Never rejects; resolves with the ids of what is done, the rest is to come again. */
  deliver: (news: readonly CarrierNews[]) => Promise<ReadonlySet<string>>;
  /** Null while news can be taken in, else why the last could not. */
  check(): string | null;
}

/**
 * Writes carrier news to the order's state, with its events, and wakes the order's workflow when that settles the
 * order. Done means: in the database, and the workflow told if need be; so news delivered at least once is never lost.
 */
export function createCarrierReceiver(options: CarrierReceiverOptions): CarrierReceiver {
  const { db, encoder, temporal, logger, maxInFlight = 8 } = options;
  const counter = new Counter({
    name: 'oms_carrier_news_total',
    help: 'Carrier news by what became of it: applied, repeated, unknown shipment; failed, away: comes again.',
    labelNames: ['outcome'],
    registers: [options.metrics],
  });
  let failure: string | null = null;

  const takeIn = async (orderId: string, news: CarrierNews[]): Promise<Outcome[]> => {
    const updates = await applyCarrierUpdates(db, encoder, orderId, news);
    const waking = updates.findLastIndex(({ wakes }) => wakes);
    const [item, update] = [news[waking], updates[waking]];
    if (item && update) await wake(temporal, item, update, logger);
    return updates.map(outcomeOf);
  };
  const guarded = async (orderId: string, news: CarrierNews[]): Promise<Outcome[]> => {
    try {
      const outcomes = await takeIn(orderId, news);
      failure = null;
      return outcomes;
    } catch (error) {
      if (isOmsError(error) && error.code === 'OMS_ORDER_UNKNOWN') return news.map(() => 'unknown');
      failure = error instanceof Error ? error.message : String(error);
      logger.warn({ err: error, orderId }, 'carrier news not taken in, will come again');
      const outcome = isOmsError(error) && error.retryable ? 'away' : 'failed';
      return news.map(() => outcome);
    }
  };
  return {
    check: () => failure,
    deliver: async (news) => {
      const done = new Set<string>();
      await byOrder(news, maxInFlight, async (orderId, items) => {
        const outcomes = await guarded(orderId, items);
        for (const [i, item] of items.entries()) {
          const outcome = outcomes[i] ?? 'failed';
          counter.inc({ outcome });
          if (outcome === 'unknown') logger.warn(about(item), 'carrier news of an unknown shipment');
          if (outcome !== 'failed' && outcome !== 'away') done.add(item.updateId);
        }
        return outcomes.includes('away');
      });
      return done;
    },
  };
}

function about({ shipmentId, updateId, status }: CarrierNews): Record<string, string> {
  return { shipmentId, updateId, status };
}

function outcomeOf({ applied, shipmentStatus }: AppliedUpdate): Outcome {
  if (shipmentStatus === null) return 'unknown';
  return applied ? 'applied' : 'repeated';
}

/** News is delivered again anyway: better soon than by waiting here. */
const SIGNAL_DEADLINE_MS = 10_000;

/** A workflow that is gone needs no signal: a closed order is settled, and a lost run is settled from the database. */
async function wake(
  temporal: CarrierReceiverOptions['temporal'],
  news: CarrierNews,
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
  news: readonly CarrierNews[],
  width: number,
  work: (orderId: string, items: CarrierNews[]) => Promise<boolean>,
): Promise<void> {
  const lanes = [...Map.groupBy(news, (item) => orderIdOf(item.shipmentId))];
  const runner = async (): Promise<void> => {
    for (let lane = lanes.shift(); lane; lane = lanes.shift()) if (await work(...lane)) lanes.length = 0;
  };
  await Promise.all(Array.from({ length: Math.min(width, lanes.length) }, runner));
}
