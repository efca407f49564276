import type { Admin } from 'kafkajs';
import type { Logger } from '../../platform/logger.ts';
import { logEnds } from '../admin/log-ends.ts';

/**
 * Records were skipped, or may have been: the committed offset lies before the log's start (they were deleted unread)
 * or after its end (the topic was made anew), or the next record is not the one that follows.
 */
export interface OffsetAlert {
  kind: 'below-log-start' | 'beyond-log-end' | 'gap';
  topic: string;
  partition: number;
  expected: bigint;
  found: bigint;
}

export interface OffsetWatch {
  /**
   * Compares what is committed with what the log still holds. Before the consumer joins, since kafkajs overwrites an
   * offset that is out of range, and after each rebalance, for what the others had.
   */
  check(assignment: Record<string, readonly number[] | 'all'>): Promise<void>;
  /** After a rebalance: what was expected before no longer counts. */
  forget(): void;
  /** With each batch, in order. */
  sawBatch(batch: { topic: string; partition: number; first: bigint; last: bigint }): void;
}

export function createOffsetWatch(options: {
  admin: Admin;
  groupId: string;
  logger: Logger;
  onAlert: (alert: OffsetAlert) => void;
}): OffsetWatch {
  const next = new Map<string, bigint>();
  const told = new Set<string>();
  const alert = (found: OffsetAlert): void => {
    const identity = [found.kind, found.topic, found.partition, found.expected].join('/');
    if (told.has(identity)) return;
    told.add(identity);
    const data = { ...found, expected: String(found.expected), found: String(found.found) };
    options.logger.error(data, 'consumer offset jumped');
    options.onAlert(found);
  };
  return {
    forget: () => next.clear(),
    check: async (assignment) => {
      for (const [topic, partitions] of Object.entries(assignment)) {
        for (const one of await readOffsets(options, topic)) {
          if (partitions === 'all' || partitions.includes(one.partition)) compare(topic, one, alert);
        }
      }
    },
    sawBatch: ({ topic, partition, first, last }) => {
      const key = `${topic}/${partition}`;
      const expected = next.get(key);
      next.set(key, last + 1n);
      // Lower is no fault: after a pause or a rebalance records are read again.
      if (expected !== undefined && first > expected) alert({ kind: 'gap', topic, partition, expected, found: first });
    },
  };
}

interface Offsets {
  partition: number;
  committed: bigint;
  low: bigint;
  high: bigint;
}

async function readOffsets(options: { admin: Admin; groupId: string }, topic: string): Promise<Offsets[]> {
  const [committed] = await options.admin.fetchOffsets({ groupId: options.groupId, topics: [topic] });
  const byPartition = new Map(committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  const ends = await logEnds(options.admin, topic);
  return ends.map(({ partition, low, high }) => ({
    partition,
    committed: byPartition.get(partition) ?? -1n,
    low: BigInt(low),
    high: BigInt(high),
  }));
}

function compare(
  topic: string,
  { partition, committed, low, high }: Offsets,
  alert: (found: OffsetAlert) => void,
): void {
  if (committed < 0n) return;
  if (committed < low) alert({ kind: 'below-log-start', topic, partition, expected: committed, found: low });
  if (committed > high) alert({ kind: 'beyond-log-end', topic, partition, expected: committed, found: high });
}
