import { OmsError, faultError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { ORDER_ID_RULE, isOrderId } from '../../domain/ids.ts';
import {
  MAX_CUSTOMER_ID_CHARACTERS,
  MAX_EVENT_BYTES,
  MAX_EVENT_ID_CHARACTERS,
  MAX_ITEMS,
  MAX_QUANTITY,
  MAX_SKU_CHARACTERS,
  MAX_SOURCE_CHARACTERS,
} from '../../domain/order.ts';
import type { Address, OrderItem } from '../../domain/order.ts';
import { check, currency, grouped, identifier, optional, text, time, wholeNumber } from '../../domain/rules.ts';
import type { Rule } from '../../domain/rules.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { CustomerAction, OrderAmended, OrderCancelled, OrderEvent, OrderPlaced } from '../../schemas/index.ts';

/**
 * The largest value of an order in minor units. Tax of up to 100 % and shipping still fit into exact integers on top,
 * so no invoice of a valid order can overflow.
 */
export const MAX_ORDER_VALUE = 1_000_000_000_000_000;

const orderId: Rule<string> = { holds: isOrderId, rule: ORDER_ID_RULE };
const eventId = identifier(MAX_EVENT_ID_CHARACTERS);
const source = identifier(MAX_SOURCE_CHARACTERS);
const customerId = identifier(MAX_CUSTOMER_ID_CHARACTERS);
const sku = identifier(MAX_SKU_CHARACTERS);
const country = identifier(100);
const quantity = wholeNumber(1, MAX_QUANTITY);
const unitPrice = optional(wholeNumber(0, MAX_ORDER_VALUE));
const sequence = optional(wholeNumber(0, Number.MAX_SAFE_INTEGER));
const lineCount: Rule<number> = {
  holds: (count) => count >= 1 && count <= MAX_ITEMS,
  rule: `must be 1 to ${grouped(MAX_ITEMS)} lines`,
};
const value: Rule<number> = {
  holds: (total) => total <= MAX_ORDER_VALUE,
  rule: `quantities times unit prices must be at most ${grouped(MAX_ORDER_VALUE)} minor units in all`,
};

/** The fields every order event has. @throws OmsError OMS_INGEST_FIELD_INVALID */
export function validateEnvelope(event: OrderEvent): void {
  check(() => 'orderId', event.orderId, orderId);
  check(() => 'eventId', event.eventId, eventId);
  check(() => 'source', event.source, source);
  check(() => 'occurredAt', event.occurredAt, time);
  check(() => 'sequence', event.sequence, sequence);
}

/** @throws OmsError OMS_INGEST_FIELD_INVALID */
export function validatePlaced(placed: OrderPlaced): void {
  check(() => 'payload.customerId', placed.customerId, customerId);
  check(() => 'payload.currency', placed.currency, currency);
  validateItems(placed.items);
  validateAddress(placed.shipTo);
}

/** @throws OmsError OMS_INGEST_FIELD_INVALID */
export function validateAmended(amended: OrderAmended): void {
  if (amended.items === null && amended.shipTo === null) {
    const rule = 'must name what changes: items, shipTo or both';
    throw faultError('OMS_INGEST_FIELD_INVALID', { field: 'payload', value: amended, rule });
  }
  if (amended.items) validateItems(amended.items);
  validateAddress(amended.shipTo);
}

/** @throws OmsError OMS_INGEST_FIELD_INVALID */
export function validateCancelled(cancelled: OrderCancelled, ofOrder: string): void {
  check(() => 'payload.reason', cancelled.reason, text);
  check(() => 'payload.fulfillmentId', cancelled.fulfillmentId, fulfillmentOf(ofOrder));
}

/** @throws OmsError OMS_INGEST_FIELD_INVALID */
export function validateAction(action: CustomerAction): void {
  const rule = { holds: (kind: string) => kind === 'Amend' || kind === 'Cancel', rule: 'must be Amend or Cancel' };
  check(() => 'payload.action', action.action, rule);
}

/** `<orderId>:<n>`, split at the last colon; order ids hold no colon. */
function fulfillmentOf(order: string): Rule<string | null> {
  const holds = (id: string): boolean =>
    id.startsWith(`${order}:`) && /^[1-9]\d{0,8}$/.test(id.slice(order.length + 1));
  return optional({ holds, rule: `must be a fulfillment of this order, ${order}:<n>` });
}

function validateItems(items: readonly OrderItem[]): void {
  check(() => 'payload.items', items.length, lineCount);
  let total = 0;
  items.forEach((item, i) => {
    validateItem(item, i);
    total += item.quantity * (item.unitPrice ?? 0);
  });
  check(() => 'payload.items', total, value);
}

function validateItem(item: OrderItem, i: number): void {
  check(() => `payload.items[${i}].sku`, item.sku, sku);
  check(() => `payload.items[${i}].quantity`, item.quantity, quantity);
  check(() => `payload.items[${i}].unitPrice`, item.unitPrice, unitPrice);
  check(() => `payload.items[${i}].description`, item.description, text);
}

const ADDRESS_LINES = ['name', 'line1', 'line2', 'city', 'region', 'postalCode'] as const;

function validateAddress(address: Address | null): void {
  if (!address) return;
  for (const line of ADDRESS_LINES) check(() => `payload.shipTo.${line}`, address[line], text);
  check(() => 'payload.shipTo.country', address.country, country);
}

/** The rule a value broke when the codec could not read it. */
const WIRE_RULES: Partial<Record<ErrorCode, string>> = {
  OMS_INGEST_VALUE_EMPTY: 'must hold what its topic carries; a record without a value means nothing on this topic',
  OMS_INGEST_NOT_AVRO: 'must start with the byte 0 and the 4-byte id of a schema',
  OMS_INGEST_SCHEMA_UNKNOWN: 'must name a schema the registry knows',
  OMS_INGEST_SCHEMA_FOREIGN: 'must be written with a schema of this topic',
  OMS_INGEST_AVRO_CORRUPT: 'must be a complete Avro record of the schema it names',
};

/** The codec says what went wrong with a value; a dead letter also names field, value and rule. */
function wireFault(error: OmsError, value: Buffer | null): OmsError {
  if (error.fault) return error;
  const rule = WIRE_RULES[error.code] ?? 'must be readable';
  return new OmsError(error.code, error.message, {
    fault: { field: 'value', value: excerpt(value), rule },
    cause: error,
  });
}

/** `what` names the id in words. @throws OmsError OMS_INGEST_KEY_MISSING or OMS_INGEST_KEY_MISMATCH */
export function assertKey(key: Buffer | null, id: string, what: string): void {
  const text = key?.toString('utf8') ?? null;
  if (text === id) return;
  const code = text ? 'OMS_INGEST_KEY_MISMATCH' : 'OMS_INGEST_KEY_MISSING';
  throw faultError(code, { field: 'key', value: text, rule: `must be ${what}, ${id}` });
}

const EXCERPT_BYTES = 16;

function excerpt(value: Buffer | null): string {
  if (value === null) return 'null';
  if (value.length === 0) return '0 bytes';
  const hex = value
    .subarray(0, EXCERPT_BYTES)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
  return `${hex}${value.length > EXCERPT_BYTES ? '…' : ''} (${grouped(value.length)} bytes)`;
}

function tooLarge(value: Buffer): OmsError {
  const rule = `must be at most ${grouped(MAX_EVENT_BYTES)} bytes`;
  return faultError('OMS_INGEST_TOO_LARGE', { field: 'value', value: `${grouped(value.length)} bytes`, rule });
}

/** The event in a record's value, or why there is none. Its schema has been fetched before. */
export function readValue<V>(
  codec: Codec,
  topic: string,
  value: Buffer | null,
): { event: V; error: null } | { event: null; error: OmsError } {
  if (value && value.length > MAX_EVENT_BYTES) return { event: null, error: tooLarge(value) };
  const decoded = codec.decode<V>(topic, value);
  if (decoded.kind === 'poison') return { event: null, error: wireFault(decoded.error, value) };
  return { event: decoded.value, error: null };
}
