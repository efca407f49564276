import type { OutgoingTopic } from '../../../database/outbox/outbox.ts';
import { sum } from '../../../domain/money.ts';
import type { DeliveryEvent, InvoiceEvent, OrderStatusRecord, ShipmentEvent } from '../../../schemas/index.ts';

/** An event of an order as it stands on its topic, decoded. */
export type Told =
  | { topic: 'order-status'; event: OrderStatusRecord }
  | { topic: 'shipments'; event: ShipmentEvent }
  | { topic: 'invoices'; event: InvoiceEvent }
  | { topic: 'deliveries'; event: DeliveryEvent };

/** All that was told of an order, in version order. */
export interface ToldOrder {
  /** The status of the highest version. */
  status: OrderStatusRecord;
  shipments: ShipmentEvent[];
  invoices: InvoiceEvent[];
  deliveries: DeliveryEvent[];
  version: number;
  /** Last sequence per topic. */
  sequences: Partial<Record<OutgoingTopic, number>>;
}

/** Undefined without a status: then nothing says what the order is. */
export function toldOrder(told: readonly Told[]): ToldOrder | undefined {
  const sorted = [...told].sort((a, b) => a.event.version - b.event.version);
  const status = sorted.findLast((one) => one.topic === 'order-status')?.event;
  if (!status) return undefined;
  const version = sorted.at(-1)?.event.version ?? 0;
  return {
    status,
    shipments: sorted.flatMap((one) => (one.topic === 'shipments' ? [one.event] : [])),
    invoices: sorted.flatMap((one) => (one.topic === 'invoices' ? [one.event] : [])),
    deliveries: sorted.flatMap((one) => (one.topic === 'deliveries' ? [one.event] : [])),
    version,
    sequences: lastSequences(sorted, status, version),
  };
}

/** Topics whose events are gone after a while. */
const FORGETFUL = ['shipments', 'invoices', 'deliveries'] as const;

/**
 * Readers drop what is numbered as something they know: no number is ever given out again, also where the event that had it
 * is gone. The status tells them all. One from before it did bounds them: versions count the events of all topics, so of a
 * topic that shows none of the order's there were at most as many as the others do not account for.
 */
function lastSequences(sorted: readonly Told[], status: OrderStatusRecord, version: number): ToldOrder['sequences'] {
  const last: ToldOrder['sequences'] = {};
  for (const { topic, event } of sorted) last[topic] = Math.max(last[topic] ?? 0, event.sequence);
  const unaccounted = version - sum(Object.values(last));
  for (const topic of FORGETFUL) {
    const least = status.sequences ? status.sequences[topic] : last[topic] === undefined ? unaccounted : 0;
    if (least > 0) last[topic] = Math.max(last[topic] ?? 0, least);
  }
  return last;
}
