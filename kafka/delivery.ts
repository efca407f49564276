import { setTimeout as sleep } from 'node:timers/promises';
import { OmsError } from '../domain/errors.ts';
import type { BaseOffsets } from './guarded-producer.ts';
import { partitionKey } from './outgoing-record.ts';
import type { Item } from './outgoing-record.ts';
import type { Partitions } from './partitions.ts';
import type { ProducerSlot } from './producer-slot.ts';
import { behind, blameOf, closed, holdError } from './send-errors.ts';

export interface DeliveryOptions {
  slot: ProducerSlot;
  partitions: Partitions;
  /** After so long a send is given up if the cluster answers otherwise. */
  stallMs: number;
  /** The same for the small sends after a rejection. */
  splitStallMs: number;
  aborted: AbortSignal;
  onSent?: (event: { records: number; bytes: number; ms: number }) => void;
  onRejected?: (error: unknown, event: { records: number }) => void;
}

/** Brings batches to the cluster, one send at a time; when it resolves every item is settled. */
export interface Delivery {
  deliver(batch: readonly Item[]): Promise<void>;
}

/** Thrown for a send that hangs while the cluster answers other questions. */
class StalledSendError extends Error {
  override readonly name = 'StalledSendError';
}

const ATTEMPTS = 3;
const RETRY_AFTER_MS = 200;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { slot, partitions, aborted } = options;
  /** Partitions whose last send failed: they are kept out of the common send, so that the others flow. */
  const suspects = new Set<string>();

  const attempt = async (items: readonly Item[], stallMs: number): Promise<unknown> => {
    const startedAt = performance.now();
    try {
      const producer = await slot.take();
      acknowledge(items, await unlessStalled(producer.send(items), items, stallMs));
      const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
      options.onSent?.({ records: items.length, bytes, ms: performance.now() - startedAt });
      return undefined;
    } catch (error) {
      if (!aborted.aborted) options.onRejected?.(error, { records: items.length });
      await slot.discard();
      return error ?? new Error('rejected without a reason');
    }
  };

  const unlessStalled = async (
    send: Promise<BaseOffsets>,
    items: readonly Item[],
    stallMs: number,
  ): Promise<BaseOffsets> => {
    const over = new AbortController();
    const stalled = watchForStall(items, stallMs, AbortSignal.any([over.signal, aborted]));
    try {
      return await Promise.race([send, stalled]);
    } finally {
      over.abort();
      stalled.catch(() => undefined);
    }
  };

  /** Rejects when the time is over and the cluster answers for the topics; while it does not, waiting is right. */
  const watchForStall = async (items: readonly Item[], stallMs: number, over: AbortSignal): Promise<never> => {
    for (;;) {
      await sleep(stallMs, undefined, { signal: over });
      const faults = await Promise.all([...topicsOf(items)].map((topic) => partitions.refresh(topic)));
      const answers = faults.some((fault) => fault?.code !== 'OMS_KAFKA_UNAVAILABLE');
      if (answers) throw new StalledSendError(`no answer within ${stallMs} ms although the cluster answers`);
    }
  };

  const hold = (items: readonly Item[], error: OmsError, round: Round): void => {
    for (const item of items) {
      const blocker = item.lane === undefined ? undefined : round.heldLanes.get(item.lane);
      const reason = blocker && item.lane !== undefined ? behind(item.lane, blocker) : error;
      if (item.lane !== undefined && !blocker) round.heldLanes.set(item.lane, error);
      item.settle({ error: reason });
    }
  };

  /** Holds back what stands behind a held record of its lane; returns the rest. */
  const withoutBlocked = (items: readonly Item[], round: Round): Item[] => {
    const blocked = items.filter(({ lane }) => lane !== undefined && round.heldLanes.has(lane));
    if (blocked.length > 0) hold(blocked, closed(), round);
    return blocked.length > 0 ? items.filter((item) => !blocked.includes(item)) : [...items];
  };

  /** One partition's records alone, after the common send failed. */
  const deliverGroup = async (group: readonly Item[], round: Round): Promise<void> => {
    const items = withoutBlocked(group, round);
    const first = items[0];
    if (!first) return;
    const { topic } = first.record;
    const key = partitionKey({ topic, partition: first.partition });
    let failure: unknown = suspects.has(key) ? await partitions.refresh(topic) : undefined;
    for (let n = 1; n <= ATTEMPTS && !(failure instanceof OmsError) && !aborted.aborted; n++) {
      failure = await attempt(items, options.splitStallMs);
      if (failure === undefined) return void suspects.delete(key);
      const blame = blameOf(failure);
      if (blame === 'record' && items.length > 1) return halve(items, round);
      if (blame !== 'environment' || failure instanceof StalledSendError) break;
      await sleep(RETRY_AFTER_MS * n, undefined, { signal: aborted }).catch(() => undefined);
    }
    const error = aborted.aborted ? closed() : holdError(topic, failure);
    if (error.retryable) suspects.add(key);
    hold(items, error, round);
  };

  const halve = async (items: readonly Item[], round: Round): Promise<void> => {
    const middle = Math.ceil(items.length / 2);
    await deliverGroup(items.slice(0, middle), round);
    await deliverGroup(items.slice(middle), round);
  };

  return {
    deliver: async (batch) => {
      const round: Round = { heldLanes: new Map() };
      const { common, apart } = setApart(batch, suspects);
      const failed = common.length > 0 && (await attempt(common, options.stallMs)) !== undefined;
      for (const group of groups(failed ? [...common, ...apart] : apart)) await deliverGroup(group, round);
    },
  };
}

/** What one call of `deliver` remembers: the lanes with a held record, and that record's error. */
interface Round {
  heldLanes: Map<string, OmsError>;
}

/** Suspect partitions' records, and what follows them in their lanes, go after the common send. */
function setApart(batch: readonly Item[], suspects: ReadonlySet<string>): { common: Item[]; apart: Item[] } {
  if (suspects.size === 0) return { common: [...batch], apart: [] };
  const lanes = new Set<string>();
  const common: Item[] = [];
  const apart: Item[] = [];
  for (const item of batch) {
    const isSuspect = suspects.has(partitionKey({ topic: item.record.topic, partition: item.partition }));
    const follows = item.lane !== undefined && lanes.has(item.lane);
    if (isSuspect && item.lane !== undefined) lanes.add(item.lane);
    (isSuspect || follows ? apart : common).push(item);
  }
  return { common, apart };
}

function acknowledge(items: readonly Item[], bases: BaseOffsets): void {
  const next = new Map(bases);
  for (const item of items) {
    const key = partitionKey({ topic: item.record.topic, partition: item.partition });
    const offset = next.get(key) ?? -1n;
    next.set(key, offset + 1n);
    item.settle({ partition: item.partition, offset });
  }
}

function groups(items: readonly Item[]): Item[][] {
  const byPartition = new Map<string, Item[]>();
  for (const item of items) {
    const key = partitionKey({ topic: item.record.topic, partition: item.partition });
    const group = byPartition.get(key) ?? [];
    byPartition.set(key, group);
    group.push(item);
  }
  return [...byPartition.values()];
}

function topicsOf(items: readonly Item[]): Set<string> {
  return new Set(items.map((item) => item.record.topic));
}
