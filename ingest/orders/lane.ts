import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import type { LifecycleMessage } from '../../domain/lifecycle.ts';
import { lifecycleRecord } from '../../orders/intake/event.ts';
import type { IncomingEvent } from '../../orders/intake/event.ts';
import type { OrderWorkflows } from '../../temporal/order-workflows.ts';
import type { Classified } from './classify.ts';

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

export interface LaneResult {
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

/** Whether the order's workflow has to be started or told. */
export function needsLane({ verdict: { outcome } }: Classified): boolean {
  return outcome === 'claim' || outcome === 'restart' || outcome === 'signal';
}

/** One lane per order that something is to be told, in the order of their first records. */
export function lanesOf(classified: readonly Classified[]): Lane[] {
  const lanes = new Map<string, Lane>();
  const laneOf = ({ orderId, source }: IncomingEvent): Lane => {
    const lane = lanes.get(orderId) ?? { orderId, source, start: false, parked: [], signals: [] };
    lanes.set(orderId, lane);
    return lane;
  };
  for (const { event, verdict } of classified) {
    if (verdict.outcome === 'claim' || verdict.outcome === 'restart') laneOf(event).start = true;
    if (verdict.outcome !== 'signal' || event.kind !== 'lifecycle') continue;
    const lane = laneOf(event);
    lane.start ||= verdict.start;
    lane.signals.push(lifecycleRecord(event));
  }
  return [...lanes.values()];
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
