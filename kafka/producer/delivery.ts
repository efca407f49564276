import { setTimeout as sleep } from 'node:timers/promises';
import { OmsError } from '../../domain/errors.ts';
import type { BaseOffsets, ProducerSlot } from './guarded-producer.ts';
import { behind, blameOf, closed, holdError } from './outgoing-record.ts';
import type { Item } from './outgoing-record.ts';
import { placeOf } from './partitions.ts';
import type { Partitions } from './partitions.ts';

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

const ATTEMPTS = 3;
const RETRY_AFTER_MS = 200;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { partitions, aborted } = options;
  /** Partitions whose last send failed: they are kept out of the common send, so that the others flow. */
  const suspects = new Set<string>();

  /** The records of one partition alone, after the common send failed or was not risked. */
  const deliverGroup = async (group: readonly Item[], round: DeliveryRound): Promise<void> => {
    const items = round.release(group);
    const [first] = items;
    if (!first) return;
    const { topic } = first.record;
    let failure: unknown = suspects.has(placeOf(first)) ? await partitions.refresh(topic) : undefined;
    for (let n = 1; n <= ATTEMPTS && !(failure instanceof OmsError) && !aborted.aborted; n++) {
      failure = await attempt(options, items, options.splitStallMs);
      if (failure === undefined) return void suspects.delete(placeOf(first));
      const blame = blameOf(failure);
      if (blame === 'record' && items.length > 1) return halve(items, round);
      if (blame !== 'environment' || failure instanceof StalledSendError) break;
      await sleep(RETRY_AFTER_MS * n, undefined, { signal: aborted }).catch(() => undefined);
    }
    const error = aborted.aborted ? closed() : holdError(topic, failure);
    if (error.retryable) suspects.add(placeOf(first));
    round.hold(items, error);
  };

  const halve = async (items: readonly Item[], round: DeliveryRound): Promise<void> => {
    const middle = Math.ceil(items.length / 2);
    await deliverGroup(items.slice(0, middle), round);
    await deliverGroup(items.slice(middle), round);
  };

  return {
    deliver: async (batch) => {
      const round = createRound();
      const { common, apart } = setApart(batch, suspects);
      const failed = common.length > 0 && (await attempt(options, common, options.stallMs)) !== undefined;
      for (const group of byPartition(failed ? [...common, ...apart] : apart)) await deliverGroup(group, round);
    },
  };
}

/** One send. Settles the items when it is confirmed; else throws the producer away and returns the reason. */
async function attempt(options: DeliveryOptions, items: readonly Item[], afterMs: number): Promise<unknown> {
  const { slot, partitions, aborted } = options;
  const startedAt = performance.now();
  const topics = [...new Set(items.map((item) => item.record.topic))];
  const answers = async (): Promise<boolean> => {
    const faults = await Promise.all(topics.map((topic) => partitions.refresh(topic)));
    return faults.some((fault) => fault?.code !== 'OMS_KAFKA_UNAVAILABLE');
  };
  try {
    const producer = await slot.take();
    acknowledge(items, await unlessStalled(producer.send(items), { afterMs, answers, aborted }));
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    options.onSent?.({ records: items.length, bytes, ms: performance.now() - startedAt });
    return undefined;
  } catch (error) {
    if (!aborted.aborted) options.onRejected?.(error, { records: items.length });
    await slot.discard();
    return error ?? new Error('rejected without a reason');
  }
}

/** Thrown for a send that hangs while the cluster answers other questions. */
class StalledSendError extends Error {
  override readonly name = 'StalledSendError';
}

/** A cluster that has just come back gets so long to answer what was sent to it before. */
const RECOVERY_MS = 10_000;

/**
 * The send's own outcome, unless it hangs for `afterMs` and the cluster answers meanwhile: asked twice, some seconds
 * apart. While the cluster does not answer, waiting is right: giving up would only double what is in flight.
 * @throws StalledSendError; or what the send throws
 */
async function unlessStalled<T>(
  send: Promise<T>,
  options: { afterMs: number; answers: () => Promise<boolean>; aborted: AbortSignal },
): Promise<T> {
  const over = new AbortController();
  const stalled = watch(options, AbortSignal.any([over.signal, options.aborted]));
  try {
    return await Promise.race([send, stalled]);
  } finally {
    over.abort();
    stalled.catch(() => undefined);
  }
}

async function watch(options: { afterMs: number; answers: () => Promise<boolean> }, over: AbortSignal): Promise<never> {
  const recoveryMs = Math.min(options.afterMs, RECOVERY_MS);
  for (;;) {
    await sleep(options.afterMs, undefined, { signal: over });
    if (!(await options.answers())) continue;
    await sleep(recoveryMs, undefined, { signal: over });
    if (await options.answers())
      throw new StalledSendError(`no answer within ${options.afterMs} ms from a cluster that works`);
  }
}

/** What one delivery of a batch remembers: which lanes have a held record, so that nothing overtakes it. */
interface DeliveryRound {
  /** Settles the items as held, each behind an earlier one of its lane if there is one. */
  hold(items: readonly Item[], error: OmsError): void;
  /** Holds back what stands behind a held record of its lane; returns the rest. */
  release(items: readonly Item[]): Item[];
}

function createRound(): DeliveryRound {
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
function acknowledge(items: readonly Item[], bases: BaseOffsets): void {
  const next = new Map(bases);
  for (const item of items) {
    const place = placeOf(item);
    const offset = next.get(place) ?? -1n;
    next.set(place, offset + 1n);
    item.settle({ partition: item.partition, offset });
  }
}

/** Suspect partitions' records, and what follows them in their lanes, go after the common send. */
function setApart(batch: readonly Item[], suspects: ReadonlySet<string>): { common: Item[]; apart: Item[] } {
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
function byPartition(items: readonly Item[]): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(placeOf(item)) ?? [];
    groups.set(placeOf(item), group);
    group.push(item);
  }
  return [...groups.values()];
}
