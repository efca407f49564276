import { ERRORS, OmsError } from '../domain/errors.ts';
import type { ErrorCode, Fault } from '../domain/errors.ts';

/** An error as it is answered: a problem document of RFC 9457 with our code. */
export interface Problem {
  /** Where the code is explained. */
  type: string;
  /** The code's meaning. */
  title: string;
  status: number;
  /** What happened this time. */
  detail: string;
  code: ErrorCode;
  /** Whether the same request may succeed later. */
  retryable: boolean;
  /** Where and why the request broke a rule. */
  field?: string;
  value?: string;
  rule?: string;
  /** Of a file of many lines, from 1. */
  line?: number;
  requestId: string;
}

/** Statuses by code. What is not here is the environment's (503 when retryable) or a fault of our own (500). */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  OMS_API_REQUEST_INVALID: 400,
  OMS_API_BODY_UNREADABLE: 400,
  OMS_API_NOT_OFFERED: 403,
  OMS_API_ROUTE_UNKNOWN: 404,
  OMS_API_METHOD_UNKNOWN: 405,
  OMS_API_BODY_TOO_LARGE: 413,
  OMS_API_MEDIA_TYPE: 415,
  OMS_API_KEY_REUSED: 422,
  OMS_API_RATE_LIMITED: 429,
  OMS_API_TIMED_OUT: 503,
  OMS_API_INTERNAL: 500,
  OMS_INGEST_TOO_LARGE: 413,
  OMS_INGEST_ORDER_CONFLICT: 409,
  OMS_INGEST_EVENT_CONFLICT: 409,
  OMS_ORDER_UNKNOWN: 404,
  OMS_SHIPMENT_UNKNOWN: 404,
  OMS_INVOICE_UNKNOWN: 404,
  OMS_STOCK_UNKNOWN: 404,
  OMS_DLQ_UNKNOWN: 404,
  OMS_PRICE_UNKNOWN: 404,
  OMS_DLQ_DECIDED: 409,
  OMS_DLQ_DECISION_OPEN: 409,
  OMS_DLQ_TOPIC_FOREIGN: 422,
  OMS_ORDER_CLOSED: 409,
  OMS_ORDER_MOVE_ILLEGAL: 409,
  OMS_ORDER_CANCEL_TOO_LATE: 409,
  OMS_ORDER_AMEND_TOO_LATE: 409,
  OMS_ORDER_AMEND_INVALID: 422,
  OMS_STOCK_INVALID: 400,
  OMS_PRICE_MISSING: 422,
  OMS_MONEY_OVERFLOW: 422,
  OMS_CLI_INPUT_INVALID: 400,
};

/** The HTTP status of an error. */
export function statusOf({ code, retryable }: OmsError): number {
  return STATUSES[code] ?? (retryable ? 503 : 500);
}

/** Where a code is explained, on this very server. */
export const errorPage = (code: ErrorCode): string => `/docs/errors/${code}`;

export function problemOf(error: OmsError, requestId: string): Problem {
  const { code, retryable, fault } = error;
  const status = statusOf(error);
  // What went wrong inside is for the log alone.
  const detail = status === 500 ? `The log has it under request id ${requestId}.` : error.message;
  return { type: errorPage(code), title: ERRORS[code].meaning, status, detail, code, retryable, ...fault, requestId };
}

/** The rules of events speak of the event's payload; over HTTP the same fields stand at the top of the body. */
export function asRequestError(error: unknown): unknown {
  if (!(error instanceof OmsError) || error.code !== 'OMS_INGEST_FIELD_INVALID' || !error.fault) return error;
  return invalid({ ...error.fault, field: error.fault.field.replace(/^payload\.?/, '') || '(body)' });
}

/** A request that breaks a rule; the value is given as it is to be shown. */
export function invalid(fault: Fault): OmsError {
  return new OmsError('OMS_API_REQUEST_INVALID', `${fault.field} is ${fault.value}: ${fault.rule}`, { fault });
}
