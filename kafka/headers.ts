import type { IHeaders } from 'kafkajs';

/** Headers of a record we write: text or bytes; several values under one name stay several headers. */
export type RecordHeaders = Record<string, string | Buffer | (string | Buffer)[]>;

/** What a CloudEvents header set says of an outgoing event. */
export interface EventHeaders {
  id: string;
  /** `oms.<record>.<type>`, e.g. `oms.ShipmentEvent.Booked`. */
  type: string;
  source: string;
  /** ms since the epoch */
  time: number;
  subject: string;
  /** Counts the order's events on the topic, from 1. */
  sequence: number;
  /** W3C trace context of what caused the event. */
  traceparent?: string;
}

/** The headers of an event, by the CloudEvents attribute they carry. */
export const EVENT_HEADERS = {
  specversion: 'ce_specversion',
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  time: 'ce_time',
  subject: 'ce_subject',
  sequence: 'ce_sequence',
  contentType: 'content-type',
  traceparent: 'traceparent',
} as const;

/** Where an outgoing event has its id. */
export const EVENT_ID_HEADER = EVENT_HEADERS.id;

export const CONTENT_TYPE = 'application/avro';

/** CloudEvents 1.0 in Kafka's binary mode: the attributes are headers, the value is the Avro record alone. */
export function cloudEventHeaders(event: EventHeaders): Record<string, string> {
  return {
    [EVENT_HEADERS.specversion]: '1.0',
    [EVENT_ID_HEADER]: event.id,
    [EVENT_HEADERS.type]: event.type,
    [EVENT_HEADERS.source]: event.source,
    [EVENT_HEADERS.time]: new Date(event.time).toISOString(),
    [EVENT_HEADERS.subject]: event.subject,
    [EVENT_HEADERS.sequence]: String(event.sequence),
    [EVENT_HEADERS.contentType]: CONTENT_TYPE,
    ...(event.traceparent === undefined ? {} : { [EVENT_HEADERS.traceparent]: event.traceparent }),
  };
}

/** The id of the deployment that published an event. Events of earlier versions have none. */
export const DEPLOYMENT_HEADER = 'oms-deployment';

/** Marks an event that was sent before and is sent again on purpose; the value is the replay's id. */
export const REPLAY_HEADER = 'oms-replay';

const DLQ_PREFIX = 'oms-dlq-';

/** Names of the headers a dead letter carries beside those it came with. */
export const DLQ_HEADERS = {
  id: 'oms-dlq-id',
  originalTopic: 'oms-dlq-original-topic',
  originalPartition: 'oms-dlq-original-partition',
  originalOffset: 'oms-dlq-original-offset',
  originalTimestamp: 'oms-dlq-original-timestamp',
  consumerGroup: 'oms-dlq-consumer-group',
  errorCode: 'oms-dlq-error-code',
  errorMessage: 'oms-dlq-error-message',
  errorField: 'oms-dlq-error-field',
  errorValue: 'oms-dlq-error-value',
  errorRule: 'oms-dlq-error-rule',
  orderId: 'oms-dlq-order-id',
  source: 'oms-dlq-source',
  deployment: 'oms-dlq-deployment',
  attempt: 'oms-dlq-attempt',
} as const;

export type DlqHeader = keyof typeof DLQ_HEADERS;

/** Longest text in one reason header, in characters: a dead letter must never outgrow its topic's limit. */
const MAX_HEADER_CHARACTERS = 1_024;

/**
 * The headers of a dead letter: those the record came with, then the reason's. Reason headers of an earlier round are
 * replaced, so a record that fails again and again does not grow.
 */
export function deadLetterHeaders(
  original: IHeaders | undefined,
  reason: Partial<Record<DlqHeader, string | number | bigint>>,
): RecordHeaders {
  const headers: RecordHeaders = {};
  for (const [name, value] of Object.entries(original ?? {})) {
    if (!name.startsWith(DLQ_PREFIX)) headers[name] = sendable(value);
  }
  for (const [key, value] of Object.entries(reason)) {
    headers[DLQ_HEADERS[key as DlqHeader]] = String(value).slice(0, MAX_HEADER_CHARACTERS);
  }
  return headers;
}

/** kafkajs reads headers without a value but cannot write them: they are sent on as empty ones. */
function sendable(value: IHeaders[string] | null): RecordHeaders[string] {
  if (Array.isArray(value)) return value.map((one: string | Buffer | null) => one ?? Buffer.alloc(0));
  return value ?? Buffer.alloc(0);
}

/** A header as text, the last of several; undefined when it is missing. */
export function headerText(headers: IHeaders | undefined, name: string): string | undefined {
  const value = headers?.[name];
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last === undefined || last === null ? undefined : last.toString();
}
