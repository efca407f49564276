import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { OmsError, faultError, isOmsError } from '../../domain/errors.ts';
import type { Fault } from '../../domain/errors.ts';
import { avroType, firstMisfit } from '../../kafka/codec/avro.ts';
import { toIncomingEvent } from '../../orders/intake/order-event.ts';
import { orderEventSchema } from '../../schemas/index.ts';
import type { OrderEvent } from '../../schemas/index.ts';

/** A line that is no acceptable order event. */
export interface LineFault extends Fault {
  /** From 1. */
  line: number;
}

export interface ReadEvents {
  events: OrderEvent[];
  faults: LineFault[];
}

/**
 * Order events from JSON lines, each checked as ingest will check it. `-` reads stdin. Empty lines are skipped.
 * @throws OmsError OMS_CLI_INPUT_INVALID when the file cannot be read
 */
export async function readEvents(file: string): Promise<ReadEvents> {
  const content = await contentOf(file);
  const read: ReadEvents = { events: [], faults: [] };
  content.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    try {
      read.events.push(parseEvent(line));
    } catch (error) {
      if (!isOmsError(error)) throw error;
      const fault = error.fault ?? { field: '(line)', value: '', rule: error.message };
      read.faults.push({ line: i + 1, ...fault });
    }
  });
  return read;
}

/** A file's text; `-` reads stdin. @throws OmsError OMS_CLI_INPUT_INVALID when it cannot be read */
export async function contentOf(file: string): Promise<string> {
  try {
    return await (file === '-' ? text(process.stdin) : readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OmsError('OMS_CLI_INPUT_INVALID', `${file}: ${reason}`, { cause: error });
  }
}

const TYPE = avroType(orderEventSchema);

/** @throws OmsError naming field, value and rule */
export function parseEvent(line: string): OrderEvent {
  const event: unknown = completed(objectOf(line, '(line)'));
  requireShape(event);
  const record = { topic: '', partition: 0, offset: 0n, key: null, value: null, timestamp: 0, headers: {} };
  toIncomingEvent(event, record);
  return event;
}

type JsonObject = Record<string, unknown>;

/** The JSON object in a text that somebody wrote by hand; `field` names the text. @throws OmsError OMS_CLI_INPUT_INVALID */
export function objectOf(text: string, field: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const rule = `must be JSON: ${error instanceof Error ? error.message : String(error)}`;
    throw faultError('OMS_CLI_INPUT_INVALID', { field, value: text, rule });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw faultError('OMS_CLI_INPUT_INVALID', { field, value, rule: 'must be a JSON object' });
}

/** What a person may leave out is filled in: fields that may be null, the namespace of the payload, a time as text. */
function completed(event: JsonObject): JsonObject {
  const { occurredAt, payload } = event;
  const at = typeof occurredAt === 'string' ? Date.parse(occurredAt) : occurredAt;
  return {
    sequence: null,
    ...event,
    occurredAt: Number.isNaN(at) ? occurredAt : at,
    payload: completedPayload(payload),
  };
}

const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  'oms.OrderPlaced': ['shipTo'],
  'oms.OrderAmended': ['items', 'shipTo'],
  'oms.OrderCancelled': ['reason', 'fulfillmentId'],
};
const ADDRESS = ['name', 'line1', 'line2', 'city', 'region', 'postalCode'];

function completedPayload(payload: unknown): unknown {
  if (!isObject(payload)) return payload;
  return Object.fromEntries(
    Object.entries(payload).map(([name, content]) => {
      const branch = name.startsWith('oms.') ? name : `oms.${name}`;
      if (!isObject(content)) return [branch, content];
      const filled = withNulls(content, OPTIONAL[branch] ?? []);
      if (Array.isArray(filled.items)) {
        filled.items = filled.items.map((item: unknown) =>
          isObject(item) ? withNulls(item, ['unitPrice', 'description']) : item,
        );
      }
      if (isObject(filled.shipTo)) filled.shipTo = withNulls(filled.shipTo, ADDRESS);
      return [branch, filled];
    }),
  );
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withNulls = (value: JsonObject, names: readonly string[]): JsonObject => ({
  ...Object.fromEntries(names.map((name) => [name, null])),
  ...value,
});

/** @throws OmsError OMS_CLI_INPUT_INVALID for the first field that the schema does not have or has otherwise */
function requireShape(event: unknown): asserts event is OrderEvent {
  const wrong = firstMisfit(TYPE, event, { noUndeclaredFields: true });
  if (wrong) throw faultError('OMS_CLI_INPUT_INVALID', wrong);
}
