import { databaseError, transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { claimOrders, lookUp } from '../../database/ledger/ledger.ts';
import { parkEvents } from '../../database/ledger/parked-events.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import { judge, orderViews } from '../../orders/intake/judge.ts';
import type { Verdict } from '../../orders/intake/judge.ts';
import { lifecycleRecord } from '../../orders/intake/order-event.ts';
import type { IncomingEvent, LifecycleEvent, PlacedEvent } from '../../orders/intake/order-event.ts';
import type { OnStep } from '../../orders/intake/step.ts';
import type { Memory } from '../../temporal/retention.ts';

/** An event and what was decided about it; a claim or a park that stands is in the ledger already. */
export interface Classified {
  event: IncomingEvent;
  verdict: Verdict;
}

export interface ClassifyOptions {
  db: Database;
  /** How long a parked event waits for its order, ms. */
  parkingDeadlineMs: number;
  onStep: OnStep;
  /** What the ledger and Temporal can be relied on to remember. @default everything */
  memory?: Memory;
}

/**
 * Decides about the events of a batch in offset order, and writes parks and claims down. Where another process was faster
 * with an order, its events are judged again by what the ledger says then; states only move forward, so that ends.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE (retryable)
 */
export function createClassifier(options: ClassifyOptions): (events: IncomingEvent[]) => Promise<Classified[]> {
  const { db, onStep } = options;
  return async (events) => {
    try {
      const settled: Classified[] = [];
      let open = events;
      while (open.length > 0) {
        const judged = await judgeAll(db, open, options.memory);
        await onStep('classified');
        const lost = await settle(options, judged);
        settled.push(...judged.filter(({ event }) => !lost.has(event.orderId)));
        open = open.filter((event) => lost.has(event.orderId));
      }
      return settled.sort((a, b) => Number(a.event.record.offset - b.event.record.offset));
    } catch (error) {
      throw databaseError(error);
    }
  };
}

async function judgeAll(db: Database, events: readonly IncomingEvent[], memory?: Memory): Promise<Classified[]> {
  const viewOf = orderViews(await lookUp(db, events));
  return events.map((event) => ({ event, verdict: judge(event, viewOf(event.orderId), memory) }));
}

/** Parks, then claims: an order may do both in one batch. Returns the orders somebody else was faster with. */
async function settle(options: ClassifyOptions, judged: readonly Classified[]): Promise<Set<string>> {
  const lost = new Set<string>();
  const parks = judged.flatMap(({ event, verdict }) => (verdict.outcome === 'park' ? [event as LifecycleEvent] : []));
  if (parks.length > 0) await park(options, parks, lost);
  const claims = judged.flatMap(({ event, verdict }) =>
    verdict.outcome === 'claim' && !lost.has(event.orderId)
      ? [{ event: event as PlacedEvent, fingerprint: verdict.fingerprint }]
      : [],
  );
  if (claims.length > 0) await claim(options, claims, lost);
  return lost;
}

async function park(options: ClassifyOptions, events: readonly LifecycleEvent[], lost: Set<string>): Promise<void> {
  const records = events.map(lifecycleRecord);
  const awaited = await transaction(options.db, (tx) => parkEvents(tx, records, options.parkingDeadlineMs));
  for (const { orderId } of events) if (!awaited.has(orderId)) lost.add(orderId);
  await options.onStep('parked');
}

async function claim(
  options: ClassifyOptions,
  claims: readonly { event: PlacedEvent; fingerprint: Buffer }[],
  lost: Set<string>,
): Promise<void> {
  const rows = claims.map(({ event: { order, eventId, record }, fingerprint }) => ({
    order,
    eventId,
    fingerprint,
    record: storedRecord(record),
  }));
  const ours = await transaction(options.db, (tx) => claimOrders(tx, rows));
  for (const { event } of claims) if (!ours.has(event.orderId)) lost.add(event.orderId);
  await options.onStep('claimed');
}
