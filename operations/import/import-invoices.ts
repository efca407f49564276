import { isOmsError } from '../../domain/errors.ts';
import { toIncomingEvent } from '../../orders/intake/order-event.ts';
import type { Resources } from '../../resources/resources.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { openOrderProducer } from '../produce/topic-producer.ts';
import type { OrderProducer } from '../produce/topic-producer.ts';
import { readOrders } from './retail-order.ts';
import type { RowFault } from './retail-order.ts';

export interface ImportRequest {
  source: string;
  /** Only invoices of this day: `2010-12-01`. */
  day?: string;
  /** Events per second at most; 0 = as fast as it goes. */
  rate: number;
  /** Called with what cannot be an order event, before anything is produced. */
  onFaults: (faults: readonly RowFault[]) => void;
  /** Called before the first event is produced, with how many there are; what it returns follows the production. */
  onBegin: (events: number) => ImportProgress;
}

export interface ImportProgress {
  to: (produced: number, perSecond: number) => void;
  end: () => void;
}

/**
 * Produces the orders of a shop's CSV file. A record that is no valid order goes too, for ingest to judge; one that no
 * order event can hold is a fault.
 * @throws OmsError OMS_CLI_INPUT_INVALID, or what opening the producer and producing throw
 */
export async function importFile(resources: Resources, file: string, request: ImportRequest) {
  const read = await readOrders(file, request);
  request.onFaults(read.faults);
  const producer = await openOrderProducer(resources);
  const progress = request.onBegin(read.events.length);
  try {
    const counts = await importEvents({ producer, events: read.events, rate: request.rate, onProgress: progress.to });
    return { ...counts, rows: read.rows, orders: read.events.length + read.faults.length, faults: read.faults };
  } finally {
    progress.end();
    await producer.close();
  }
}

/** What an import of the file would produce, and what of it ingest would refuse; nothing is produced. */
export async function dryImport(file: string, request: Pick<ImportRequest, 'source' | 'day' | 'onFaults'>) {
  const { rows, events, faults } = await readOrders(file, request);
  request.onFaults(faults);
  const wouldRefuse = refusalsAmong(events);
  return { rows, orders: events.length, faults, wouldRefuse, refusedFields: refusedFields(wouldRefuse) };
}

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

/** An event ingest would refuse, and why. */
interface Refusal {
  orderId: string;
  code: string;
  field: string;
  value: string;
  rule: string;
}

/** The events that are no acceptable orders, by the rules ingest has. Conflicts with known orders are not looked for. */
function refusalsAmong(events: readonly OrderEvent[]): Refusal[] {
  return events.flatMap((event) => {
    try {
      toIncomingEvent(event, NO_RECORD);
      return [];
    } catch (error) {
      if (!isOmsError(error)) throw error;
      const { field = '', value = '', rule = error.message } = error.fault ?? {};
      return [{ orderId: event.orderId, code: error.code, field, value, rule }];
    }
  });
}

/** The events have not been on a topic yet. */
const NO_RECORD = { topic: '', partition: 0, offset: 0n, key: null, value: null, timestamp: 0, headers: {} };

/** How often each field is to blame, most first; the number of a line does not count. */
function refusedFields(refusals: readonly Refusal[]): [field: string, count: number][] {
  const byField = Map.groupBy(refusals, ({ field }) => field.replace(/\[\d+\]/g, '[]'));
  return [...byField].map(([field, some]): [string, number] => [field, some.length]).toSorted((a, b) => b[1] - a[1]);
}
