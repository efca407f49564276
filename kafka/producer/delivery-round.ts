import type { OmsError } from '../../domain/errors.ts';
import type { BaseOffsets } from './guarded-producer.ts';
import { partitionKey } from './outgoing-record.ts';
import type { Item } from './outgoing-record.ts';
import { behind, closed } from './send-errors.ts';

/** What one delivery of a batch remembers: which lanes have a held record, so that nothing overtakes it. */
export interface DeliveryRound {
  /** Settles the items as held, each behind an earlier one of its lane if there is one. */
  hold(items: readonly Item[], error: OmsError): void;
  /** Holds back what stands behind a held record of its lane; returns the rest. */
  release(items: readonly Item[]): Item[];
}

export function createRound(): DeliveryRound {
  const heldLanes = new Map<string, OmsError>();
  const hold = (items: readonly Item[], error: OmsError): void => {
    for (const item of items) {
      const earlier = item.lane === undefined ? undefined : heldLanes.get(item.lane);
      if (item.lane !== undefined && !earlier) heldLanes.set(item.lane, error);
      item.settle({ error: earlier && item.lane !== undefined ? behind(item.lane, earlier) : error });
    }
  };
  const isBlocked = ({ lane }: Item): boolean => lane !== undefined && heldLanes.has(lane);
  return {
    hold,
    release: (items) => {
      hold(items.filter(isBlocked), closed());
      return items.filter((item) => !isBlocked(item));
    },
  };
}

/** Settles items as sent; the offsets of a partition follow each other in the order sent. */
export function acknowledge(items: readonly Item[], bases: BaseOffsets): void {
  const next = new Map(bases);
  for (const item of items) {
    const place = placeOf(item);
    const offset = next.get(place) ?? -1n;
    next.set(place, offset + 1n);
    item.settle({ partition: item.partition, offset });
  }
}

/** Suspect partitions' records, and what follows them in their lanes, go after the common send. */
export function setApart(batch: readonly Item[], suspects: ReadonlySet<string>): { common: Item[]; apart: Item[] } {
  const lanes = new Set<string>();
  const common: Item[] = [];
  const apart: Item[] = [];
  for (const item of batch) {
    const isSuspect = suspects.has(placeOf(item));
    const follows = item.lane !== undefined && lanes.has(item.lane);
    if (isSuspect && item.lane !== undefined) lanes.add(item.lane);
    (isSuspect || follows ? apart : common).push(item);
  }
  return { common, apart };
}

/** One group a partition, in the order of their first items. */
export function byPartition(items: readonly Item[]): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(placeOf(item)) ?? [];
    groups.set(placeOf(item), group);
    group.push(item);
  }
  return [...groups.values()];
}

export function placeOf(item: Item): string {
  return partitionKey({ topic: item.record.topic, partition: item.partition });
}
