import { setTimeout as sleep } from 'node:timers/promises';
import { OmsError } from '../../domain/errors.ts';
import { acknowledge, byPartition, createRound, placeOf, setApart } from './delivery-round.ts';
import type { DeliveryRound } from './delivery-round.ts';
import type { Item } from './outgoing-record.ts';
import type { Partitions } from './partitions.ts';
import type { ProducerSlot } from './producer-slot.ts';
import { blameOf, closed, holdError } from './send-errors.ts';
import { StalledSendError, unlessStalled } from './stall-watch.ts';

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
