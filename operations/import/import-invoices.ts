import type { OrderEvent } from '../../schemas/index.ts';
import type { OrderProducer } from '../produce/order-producer.ts';

/** What became of the events of an import. */
export interface ImportCounts {
  produced: number;
  refused: { orderId: string; reason: string }[];
  seconds: number;
  perSecond: number;
}

export interface ImportOptions {
  producer: OrderProducer;
  events: readonly OrderEvent[];
  /** Events per second at most; 0 = as fast as it goes. */
  rate: number;
  /** Called after each batch. */
  onProgress?: (produced: number, perSecond: number) => void;
}

const BATCH = 200;

/** Produces the events in order, in batches, no faster than `rate`. */
export async function importEvents(options: ImportOptions): Promise<ImportCounts> {
  const { producer, events, rate } = options;
  const size = rate > 0 ? Math.min(BATCH, Math.max(1, Math.round(rate / 10))) : BATCH;
  const started = performance.now();
  const counts: ImportCounts = { produced: 0, refused: [], seconds: 0, perSecond: 0 };
  for (let at = 0; at < events.length; at += size) {
    if (rate > 0) await until(started + (at / rate) * 1_000);
    const { produced, refused } = await producer.produce(events.slice(at, at + size));
    counts.produced += produced.length;
    counts.refused.push(...refused.map(({ orderId, error }) => ({ orderId, reason: error.message })));
    counts.seconds = (performance.now() - started) / 1_000;
    counts.perSecond = Math.round(counts.produced / counts.seconds);
    options.onProgress?.(at + Math.min(size, events.length - at), counts.perSecond);
  }
  return counts;
}

async function until(at: number): Promise<void> {
  const wait = at - performance.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
}
