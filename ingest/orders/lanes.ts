import { lifecycleRecord } from '../../orders/intake/event.ts';
import type { IncomingEvent } from '../../orders/intake/event.ts';
import type { Classified } from './classify.ts';
import type { Lane } from './lane.ts';

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
