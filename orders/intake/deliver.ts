import type { LimitFunction } from 'p-limit';
import { databaseError, transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { ledgerStates, lookUp, markStarted, recordEvents } from '../../database/ledger/ledger.ts';
import type { DoneEvent } from '../../database/ledger/ledger.ts';
import { unpark } from '../../database/ledger/parked-events.ts';
import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import { faultError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import type { OrderWorkflows } from '../../temporal/order-workflows.ts';
import { lateError } from './judge.ts';
import type { EventType } from './order-event.ts';
import type { OnStep } from './step.ts';

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
  limiter: LimitFunction;
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

/** What is to be told to one order's workflow, in order. */
export interface Lane {
  orderId: string;
  /** Of the order; null when it is not known. */
  source: string | null;
  /** The workflow is to be started first. */
  start: boolean;
  /** What waited for the order; handed over with the start. */
  parked: LifecycleRecord[];
  signals: LifecycleRecord[];
}

interface LaneResult {
  /** Whether this call made the run; false also when a run was there already. */
  created: boolean;
  delivered: LifecycleRecord[];
  /** No run took them: the order is closed, or its run is gone. */
  unreachable: LifecycleRecord[];
}

/** Parked messages up to this many characters go into the workflow's input, which Temporal limits; the rest are signals. */
const INPUT_CHARACTERS = 500_000;

/**
 * Starts the workflow if need be, then signals, one after the other. May be run again at any time: a second start finds
 * the first, and the workflow handles each event id once.
 * @throws OmsError OMS_TEMPORAL_UNAVAILABLE (retryable)
 */
export async function runLane(workflows: OrderWorkflows, lane: Lane): Promise<LaneResult> {
  const parked = inSequence(lane.parked);
  const fitting = parked.slice(0, fittingCount(parked.map((event) => event.message)));
  const created = lane.start && (await workflows.start(lane.orderId, messages(fitting), lane.source)) === 'started';
  // A run that was there already may have been started without them.
  const signals = [...(created ? parked.slice(fitting.length) : parked), ...inSequence(lane.signals)];
  const result: LaneResult = { created, delivered: created ? fitting : [], unreachable: [] };
  for (const event of signals) {
    const answer = await workflows.signal(lane.orderId, event.message);
    (answer === 'signalled' ? result.delivered : result.unreachable).push(event);
  }
  return result;
}

function messages(events: readonly LifecycleRecord[]): LifecycleMessage[] {
  return events.map((event) => event.message);
}

function fittingCount(parked: readonly LifecycleMessage[]): number {
  let characters = 0;
  const tooMany = parked.findIndex((message) => (characters += JSON.stringify(message).length) > INPUT_CHARACTERS);
  return tooMany < 0 ? parked.length : tooMany;
}

/**
 * The order in which events of one order are applied: as they stood on the topic, except that those with a sequence
 * are put in ascending order among the places such events take. So a producer that counts gets its own order for what
 * arrives together (in one batch, or parked until the order came), and an event without a sequence keeps its place.
 * An event is not held back for a lower number that may never come.
 */
export function inSequence<T extends { sequence: number | null }>(events: readonly T[]): T[] {
  const counted = events
    .filter((event) => event.sequence !== null)
    .sort((a, b) => Number(a.sequence) - Number(b.sequence));
  let next = 0;
  return events.map((event) => (event.sequence === null ? event : (counted[next++] ?? event)));
}
