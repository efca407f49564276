import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import type { LifecycleMessage } from '../../domain/lifecycle.ts';
import { inSequence } from '../../orders/intake/sequence.ts';
import type { OrderWorkflows } from '../../temporal/order-workflows.ts';

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
