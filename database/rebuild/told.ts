import type { OutgoingTopic } from '../outbox.ts';
import type { DeliveryEvent, InvoiceEvent, OrderStatusRecord, ShipmentEvent } from '../../schemas/index.ts';

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
  const sequences: ToldOrder['sequences'] = {};
  for (const { topic, event } of sorted) sequences[topic] = Math.max(sequences[topic] ?? 0, event.sequence);
  return {
    status,
    shipments: sorted.flatMap((one) => (one.topic === 'shipments' ? [one.event] : [])),
    invoices: sorted.flatMap((one) => (one.topic === 'invoices' ? [one.event] : [])),
    deliveries: sorted.flatMap((one) => (one.topic === 'deliveries' ? [one.event] : [])),
    version: sorted.at(-1)?.event.version ?? 0,
    sequences,
  };
}
