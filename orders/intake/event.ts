import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { OmsError } from '../../domain/errors.ts';
import type { LifecycleMessage } from '../../domain/lifecycle.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';

/** The payloads of an order event, as the topic's schema names them. */
export type EventType = 'OrderPlaced' | 'OrderAmended' | 'OrderCancelled' | 'CustomerAction';

interface EventBase {
  type: EventType;
  eventId: string;
  orderId: string;
  source: string;
  /** The producer's count of this order's events; null = topic order is the order. */
  sequence: number | null;
  /** Upstream's time, ms since the epoch. Data only. */
  occurredAt: number;
  /** Equal for events that say the same; see content.ts. */
  contentHash: Buffer;
  record: ConsumedRecord;
}

/** An order was placed. */
export interface PlacedEvent extends EventBase {
  kind: 'placed';
  order: PlacedOrder;
}

/** Something happened to an order that was placed. */
export interface LifecycleEvent extends EventBase {
  kind: 'lifecycle';
  message: LifecycleMessage;
}

/** A valid event, with the record it came in: nothing behind `decode` checks it again. */
export type IncomingEvent = PlacedEvent | LifecycleEvent;

/** A record that can never be taken, and why; with what of it could be read. */
export interface PoisonMessage {
  kind: 'poison';
  error: OmsError;
  orderId: string | null;
  source: string | null;
  record: ConsumedRecord;
}

/** A lifecycle event with the record it came in, as it is parked and handed over. */
export function lifecycleRecord(event: LifecycleEvent): LifecycleRecord {
  const { orderId, eventId, message, contentHash, source, sequence } = event;
  return { orderId, eventId, message, contentHash, source, sequence, record: storedRecord(event.record) };
}
