import { databaseError, transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { ledgerStates, lookUp, markStarted, recordEvents } from '../../database/ledger/ledger.ts';
import type { DoneEvent } from '../../database/ledger/ledger.ts';
import { unpark } from '../../database/ledger/parked-events.ts';
import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import { faultError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import type { LifecycleMessage } from '../../domain/lifecycle.ts';
import type { EventType } from '../../orders/intake/event.ts';
import { lateError } from '../../orders/intake/judge.ts';
import type { OnStep } from '../../orders/intake/step.ts';
import { deadLetter } from '../../outbox/dead-letters.ts';
import type { Limiter } from '../../platform/limiter.ts';
import type { OrderWorkflows } from '../../temporal/order-workflows.ts';
import { runLane } from './lane.ts';
import type { Lane, LaneResult } from './lane.ts';

/** An event no run took, and what that means. */
export interface Undelivered {
  event: LifecycleRecord;
  /** `duplicate`: the run handled it before it closed. */
  outcome: 'duplicate' | 'late' | 'notRunning';
  error: OmsError | undefined;
}

/** What came of a set of lanes. */
export interface Delivery {
  /** The lanes that were carried through, with their results. */
  done: { lane: Lane; result: LaneResult }[];
  undelivered: Undelivered[];
  /** Why the other lanes were not: the environment's fault, or the signal's reason. */
  failure: Error | undefined;
}

export const nothingDelivered: Delivery = { done: [], undelivered: [], failure: undefined };

export interface DeliverOptions {
  db: Database;
  workflows: OrderWorkflows;
  /** Shared by everything in the process that talks to Temporal. */
  limiter: Limiter;
  onStep: OnStep;
}

/**
 * Runs lanes side by side within the limit. After the first failure no further lane is begun: what is done can then be
 * confirmed, and the rest is tried again later.
 */
export async function deliver(options: DeliverOptions, lanes: readonly Lane[], signal: AbortSignal): Promise<Delivery> {
  const done: Delivery['done'] = [];
  let failure: Error | undefined;
  const run = async (lane: Lane): Promise<void> => {
    if (signal.aborted) failure ??= asError(signal.reason);
    if (failure !== undefined) return;
    try {
      done.push({ lane, result: await runLane(options.workflows, lane) });
      await options.onStep('orderStarted');
    } catch (error) {
      failure ??= asError(error);
    }
  };
  await Promise.all(lanes.map((lane) => options.limiter(() => run(lane))));
  await options.onStep('lanesRun');
  const unreachable = done.flatMap(({ result }) => result.unreachable);
  return { done, undelivered: await whyUndelivered(options.db, unreachable), failure };
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

/** Read after the signals failed: a workflow closes its ledger row before it ends, so a closed order shows as closed here. */
async function whyUndelivered(db: Database, events: readonly LifecycleRecord[]): Promise<Undelivered[]> {
  if (events.length === 0) return [];
  try {
    const states = await ledgerStates(db, [...new Set(events.map((event) => event.orderId))]);
    const { events: known } = await lookUp(db, events);
    const handled = new Set(
      known.filter((event) => event.handled).map((event) => `${event.orderId}\n${event.eventId}`),
    );
    return events.map((event) => {
      if (handled.has(`${event.orderId}\n${event.eventId}`)) return { event, outcome: 'duplicate', error: undefined };
      if (states.get(event.orderId) === 'closed') return { event, outcome: 'late', error: lateError(event) };
      return { event, outcome: 'notRunning', error: notRunning(event) };
    });
  } catch (error) {
    throw databaseError(error);
  }
}

function notRunning({ orderId, eventId }: LifecycleRecord): OmsError {
  const rule = `needs the workflow of order ${orderId}, which was started but no longer runs`;
  return faultError('OMS_INGEST_ORDER_NOT_RUNNING', { field: 'eventId', value: eventId, rule });
}

/** The dead letters of events that no run took. */
export function undeliveredLetters(delivery: Delivery): DeadLetter[] {
  return delivery.undelivered.flatMap(({ event, error }) =>
    error ? [deadLetter({ error, orderId: event.orderId, source: event.source, record: event.record })] : [],
  );
}

/**
 * Writes down what was done, in one transaction: started orders, done events, parked events that wait no more.
 * Only after this do they count as known.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE (retryable)
 */
export async function confirm(db: Database, delivery: Delivery, others: readonly DoneEvent[]): Promise<void> {
  const started = delivery.done.filter(({ lane }) => lane.start).map(({ lane }) => lane.orderId);
  const delivered = delivery.done.flatMap(({ result }) => result.delivered);
  const late = delivery.undelivered.filter(({ outcome }) => outcome === 'late').map(({ event }) => event);
  const events = [...others, ...delivered.map(doneAs('signalled')), ...late.map(doneAs('late'))];
  const parked = delivery.done.flatMap(({ lane }) => lane.parked);
  if (started.length + events.length + parked.length === 0) return;
  await transaction(db, async (tx) => {
    await markStarted(tx, started);
    await recordEvents(tx, events);
    await unpark(tx, parked);
  });
}

const TYPES = {
  customerAction: 'CustomerAction',
  cancel: 'OrderCancelled',
  amend: 'OrderAmended',
} as const satisfies Record<LifecycleMessage['kind'], EventType>;

const doneAs =
  (outcome: 'signalled' | 'late') =>
  ({ orderId, eventId, contentHash, message }: LifecycleRecord): DoneEvent => ({
    orderId,
    eventId,
    contentHash,
    type: TYPES[message.kind],
    outcome,
  });
