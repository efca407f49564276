import { hash } from 'node:crypto';
import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { OmsError } from '../../domain/errors.ts';
import type { LifecycleMessage } from '../../domain/lifecycle.ts';
import { fingerprintText } from '../../domain/order.ts';
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

/** sha-256 of what makes two events the same order (`fingerprintText` of domain/order.ts), by the version the ledger row names. */
export function fingerprint(order: PlacedOrder, version?: number): Buffer {
  return hash('sha256', fingerprintText(order, version), 'buffer');
}

/**
 * Content hash of a placed order: of its bytes. Equal bytes are the same event for sure, at a tenth of what the
 * fingerprint costs; whether other bytes are the same order, the fingerprint tells.
 */
export function placedHash(value: Buffer): Buffer {
  return hash('sha256', value, 'buffer');
}

/** Content hash of a lifecycle event: of who asks for what. The time and the encoding may differ between retries. */
export function lifecycleHash(source: string, message: LifecycleMessage): Buffer {
  return hash('sha256', JSON.stringify([source, message]), 'buffer');
}
