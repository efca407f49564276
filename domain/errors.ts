/**
 * Every error the OMS can report: its code, what it means, and whether trying again can help.
 * Codes are public (docs/errors.md is generated from this table); a retired code is never reused.
 */
export const ERRORS = {
  // ingest: what is wrong with a record; each ends as a dead letter, and the next record is processed
  OMS_INGEST_VALUE_EMPTY: {
    retryable: false,
    meaning: 'The record has no value (a tombstone or zero bytes), so it carries no event.',
  },
  OMS_INGEST_NOT_AVRO: {
    retryable: false,
    meaning: 'The value does not start with the magic byte 0 and a 4-byte schema id.',
  },
  OMS_INGEST_SCHEMA_UNKNOWN: {
    retryable: false,
    meaning: 'The registry does not know the schema id the value was written with.',
  },
  OMS_INGEST_SCHEMA_FOREIGN: {
    retryable: false,
    meaning: 'The value was written with a schema this topic may not carry.',
  },
  OMS_INGEST_AVRO_CORRUPT: { retryable: false, meaning: 'The bytes do not decode with the schema they name.' },
  OMS_INGEST_TOO_LARGE: {
    retryable: false,
    meaning: 'The encoded event is larger than the limit for one order event.',
  },
  OMS_INGEST_KEY_MISSING: {
    retryable: false,
    meaning:
      'The record has no key: that of an order event is its order id, of a stock level its SKU, of a carrier update its shipment id.',
  },
  OMS_INGEST_KEY_MISMATCH: {
    retryable: false,
    meaning: 'The record key is not the order id, the SKU or the shipment id inside the record.',
  },
  OMS_INGEST_FIELD_INVALID: {
    retryable: false,
    meaning: 'A field of the event breaks a rule; field, value and rule are named.',
  },
  OMS_INGEST_PAYLOAD_UNKNOWN: { retryable: false, meaning: 'The event carries a payload this version does not know.' },
  OMS_INGEST_ORDER_CONFLICT: {
    retryable: false,
    meaning: 'The order id is known already, with other content or from another source.',
  },
  OMS_INGEST_EVENT_CONFLICT: {
    retryable: false,
    meaning: 'The event id is known already for this order, with other content.',
  },
  OMS_INGEST_ORDER_NEVER_CAME: {
    retryable: false,
    meaning: 'An event waited for its order until the deadline, and the order never came.',
  },
  OMS_INGEST_SHIPMENT_UNKNOWN: {
    retryable: false,
    meaning: "A carrier's update names a shipment that is not there, and did not come before its deadline if it might.",
  },
  OMS_INGEST_UPDATE_FAILED: {
    retryable: false,
    meaning:
      "A carrier's update failed for a reason of its own and was tried again until its deadline; the log says why.",
  },
  OMS_INGEST_LATE: { retryable: false, meaning: 'The event came after its order was closed.' },
  OMS_INGEST_STALE: {
    retryable: false,
    meaning:
      'The order is older than both the ledger and what Temporal remembers, so nobody can tell whether it is new; see docs/replay.md.',
  },
  OMS_INGEST_ORDER_NOT_RUNNING: {
    retryable: false,
    meaning: 'The order was started but its workflow no longer runs, so the event could not be handed over.',
  },
  OMS_INGEST_AMEND_UNSUPPORTED: {
    retryable: false,
    meaning: 'Retired: version 0.1 did not amend orders; the reason stands on orders of that time.',
  },

  // order: what may not happen to an order
  OMS_ORDER_MOVE_ILLEGAL: { retryable: false, meaning: 'The state table does not allow this move.' },
  OMS_ORDER_UNKNOWN: { retryable: false, meaning: 'No order with this id is known.' },
  OMS_ORDER_CANCEL_TOO_LATE: {
    retryable: false,
    meaning: 'The order can no longer be cancelled: a shipment was handed to the carrier.',
  },
  OMS_ORDER_AMEND_INVALID: {
    retryable: false,
    meaning: 'An amendment can only drop lines and lower quantities; field, value and rule are named.',
  },
  OMS_ORDER_AMEND_TOO_LATE: {
    retryable: false,
    meaning: 'What an amendment would change is with the carrier already, or was invoiced in a way it cannot undo.',
  },
  OMS_ORDER_ACTION_REFUSED: {
    retryable: false,
    meaning:
      'An action of an operator that would change nothing, or is not safe, as the order stands (`oms orders stuck`).',
  },
  OMS_ORDER_STILL_RUNNING: {
    retryable: false,
    meaning: 'The order has a workflow that runs, or is closed: there is nothing to recover.',
  },
  OMS_ORDER_RESERVATION_EXPIRED: {
    retryable: false,
    meaning: 'The stock kept for the order was not paid for before the deadline, and is free again.',
  },
  OMS_ORDER_INPUT_UNSUPPORTED: {
    retryable: false,
    meaning: 'The workflow input or message has a version this worker does not know.',
  },

  OMS_ORDER_CLOSED: {
    retryable: false,
    meaning: 'The order, or what is asked about of it, has come to its end: nothing can be asked of it any more.',
  },
  OMS_SHIPMENT_UNKNOWN: { retryable: false, meaning: 'No shipment with this id is known.' },
  OMS_INVOICE_UNKNOWN: { retryable: false, meaning: 'No invoice, or credit note, with this number is known.' },

  // money and stock
  OMS_PRICE_MISSING: {
    retryable: false,
    meaning: 'An item has no unit price and the price list has none for its SKU and currency.',
  },
  OMS_MONEY_OVERFLOW: {
    retryable: false,
    meaning: 'An amount exceeds the largest exact integer (2^53 - 1 minor units).',
  },
  OMS_STOCK_INVALID: {
    retryable: false,
    meaning: 'A stock level or price is not acceptable; field, value and rule are named.',
  },
  OMS_STOCK_UNKNOWN: { retryable: false, meaning: 'No stock level of this SKU in this warehouse is known.' },
  OMS_PRICE_UNKNOWN: { retryable: false, meaning: 'The price list has no price of this SKU in this currency.' },

  // HTTP: what is wrong with a request
  OMS_API_REQUEST_INVALID: {
    retryable: false,
    meaning: 'The request breaks a rule; field, value and rule are named.',
  },
  OMS_API_BODY_UNREADABLE: { retryable: false, meaning: 'The body is not JSON, or not of the type it says.' },
  OMS_API_BODY_TOO_LARGE: { retryable: false, meaning: 'The body is larger than the API takes (OMS_API_BODY_LIMIT).' },
  OMS_API_MEDIA_TYPE: { retryable: false, meaning: 'The route does not take, or cannot give, this media type.' },
  OMS_API_ROUTE_UNKNOWN: { retryable: false, meaning: 'There is nothing at this path.' },
  OMS_API_NOT_OFFERED: {
    retryable: false,
    meaning:
      'A route between the parts of the reference OMS, which has no part here; the answer says what is done instead.',
  },
  OMS_API_METHOD_UNKNOWN: {
    retryable: false,
    meaning: 'The path does not take this method; `Allow` names those it takes.',
  },
  OMS_API_KEY_REUSED: {
    retryable: false,
    meaning: 'An Idempotency-Key was used again for another request; each request needs a key of its own.',
  },
  OMS_API_RATE_LIMITED: {
    retryable: true,
    meaning: 'More requests than OMS_API_RATE_LIMIT allows; `Retry-After` says when to go on.',
  },
  OMS_API_TIMED_OUT: {
    retryable: true,
    meaning:
      'The request was not answered within OMS_API_TIMEOUT. What it asked for may have been done: ask again under its Idempotency-Key.',
  },
  OMS_API_STREAMS_EXHAUSTED: {
    retryable: true,
    meaning:
      'As many live streams are open as OMS_API_STREAMS allows; come again, or ask another process of the api role.',
  },
  OMS_API_INTERNAL: { retryable: true, meaning: 'A fault of the OMS itself; the log has it under the request id.' },

  // providers
  OMS_PAYMENT_DECLINED: { retryable: false, meaning: 'The payment provider declined the charge.' },
  OMS_PAYMENT_UNAVAILABLE: {
    retryable: true,
    meaning: 'The payment provider did not answer or failed; its answer is unknown until asked again.',
  },
  OMS_PAYMENT_REFUSED: {
    retryable: false,
    meaning: 'The payment provider cannot carry out a request as it is, such as giving back more than was taken.',
  },
  OMS_PAYMENT_MAINTENANCE: {
    retryable: true,
    meaning: 'Payments are held by maintenance mode; they go on when it is switched off (`oms maintenance off`).',
  },
  OMS_SPEND_LIMIT_EXCEEDED: {
    retryable: false,
    meaning: "The charge would take the customer's spending past the limit (`oms limits show`).",
  },
  OMS_CARRIER_REFUSED: { retryable: false, meaning: 'The carrier refused the booking.' },
  OMS_CARRIER_UNAVAILABLE: {
    retryable: true,
    meaning: 'The carrier did not answer or failed; its answer is unknown until asked again.',
  },

  // dead letters and held events: what an operator may not decide
  OMS_DLQ_UNKNOWN: { retryable: false, meaning: 'No dead letter has this id.' },
  OMS_DLQ_DECIDED: {
    retryable: false,
    meaning: 'An operator has decided about the dead letter already; `--again` decides once more.',
  },
  OMS_DLQ_DECISION_OPEN: {
    retryable: false,
    meaning: 'Another decision about the dead letter was begun and not ended; repeat that one to end it.',
  },
  OMS_DLQ_TOPIC_FOREIGN: {
    retryable: false,
    meaning: "The dead letter's record stood on a topic the OMS takes no records from.",
  },
  OMS_OUTBOX_NOT_HELD: { retryable: false, meaning: 'No event of the order is held back by the publisher.' },

  // what the audit finds: two places that say different things
  OMS_AUDIT_LEDGER_MISSING: {
    retryable: false,
    meaning: 'There is an order the ledger does not know: placed again, it would be a new one.',
  },
  OMS_AUDIT_ORDER_MISSING: {
    retryable: false,
    meaning: 'The ledger says that a run took the order; its state is gone.',
  },
  OMS_AUDIT_STATE_DIFFERS: {
    retryable: false,
    meaning: 'Ledger, order and parts disagree about how far the order is.',
  },
  OMS_AUDIT_CLAIM_STALE: {
    retryable: false,
    meaning: 'The order was claimed and its start never confirmed; `oms audit --repair`, or the sweeper, starts it.',
  },
  OMS_AUDIT_WORKFLOW_MISSING: {
    retryable: false,
    meaning: 'A started order has no workflow that runs; `oms audit --repair` gives it a new run.',
  },
  OMS_AUDIT_WORKFLOW_UNKNOWN: { retryable: false, meaning: 'A workflow runs for an order the ledger does not know.' },
  OMS_AUDIT_WORKFLOW_REPEATED: {
    retryable: false,
    meaning: 'An order has more than one workflow that ran to its end.',
  },
  OMS_AUDIT_WORKFLOW_OPEN: { retryable: false, meaning: 'The order is closed, and its workflow still runs.' },
  OMS_AUDIT_SEQUENCE_GAP: {
    retryable: false,
    meaning: "The order's events are not numbered 1, 2, 3 … in all and on each topic.",
  },
  OMS_AUDIT_EVENT_MISSING: { retryable: false, meaning: 'Something happened of which no event is in the outbox.' },
  OMS_AUDIT_EVENT_UNFOUNDED: { retryable: false, meaning: 'An event tells of something that is not in the database.' },
  OMS_AUDIT_STATUS_DIFFERS: { retryable: false, meaning: "The order's newest status event says other than its state." },
  OMS_AUDIT_EVENT_UNSENT: {
    retryable: false,
    meaning: 'An event has waited too long to be put on its topic; see whether `oms publisher` runs.',
  },
  OMS_AUDIT_EVENT_HELD: {
    retryable: false,
    meaning: 'An event cannot be sent as it is and holds its order back (`oms orders held ls`).',
  },
  OMS_AUDIT_RECORD_MISSING: {
    retryable: false,
    meaning: 'An event that was sent is not on its topic; `oms audit --repair` sends it again if it is the last there.',
  },
  OMS_AUDIT_RECORD_UNKNOWN: { retryable: false, meaning: 'A record on our topic is none of our events.' },
  OMS_AUDIT_RECORD_FOREIGN: {
    retryable: false,
    meaning:
      'A record on our topic was published by another deployment: its topics are mirrored, or it has our prefix.',
  },
  OMS_AUDIT_RECORD_DIFFERS: {
    retryable: false,
    meaning: 'A record on our topic has other bytes or another key than its event.',
  },
  OMS_AUDIT_RECORD_DISORDERED: {
    retryable: false,
    meaning: "The first occurrences of an order's events stand on their topic in another order.",
  },
  OMS_AUDIT_STATUS_STALE: {
    retryable: false,
    meaning: 'The last `order-status` of the order is not its newest; `oms audit --repair` sends that again.',
  },
  OMS_AUDIT_LETTER_UNKNOWN: {
    retryable: false,
    meaning: 'A record on `orders.dlq` is no dead letter of the database.',
  },
  OMS_AUDIT_LETTER_DIFFERS: {
    retryable: false,
    meaning: 'A dead letter has another key, reason or other bytes on `orders.dlq` than in the database.',
  },
  OMS_AUDIT_LETTER_MISSING: {
    retryable: false,
    meaning: 'A dead letter that was sent is not on `orders.dlq`; `oms audit --repair` has ingest send it again.',
  },
  OMS_AUDIT_NEWS_LOST: {
    retryable: false,
    meaning: 'A committed record on `carrier-updates` is neither taken in, nor parked, nor a dead letter.',
  },
  OMS_AUDIT_NEWS_MISSING: {
    retryable: false,
    meaning: "A carrier's news told over HTTP is not on `carrier-updates`; `oms audit --repair` sends it again.",
  },
  OMS_AUDIT_INPUT_LOST: {
    retryable: false,
    meaning: 'An order event was committed, and neither ledger, parking nor dead letters know it.',
  },
  OMS_AUDIT_LETTER_UNSENT: {
    retryable: false,
    meaning: 'A dead letter has waited too long to be put on its topic; see whether `oms ingest` runs.',
  },
  OMS_AUDIT_STOCK_RESERVED: {
    retryable: false,
    meaning: 'What is reserved of a SKU is not what open fulfillments hold.',
  },
  OMS_AUDIT_INVOICE_MISSING: { retryable: false, meaning: 'There is a payment without an invoice.' },
  OMS_AUDIT_MONEY_DIFFERS: {
    retryable: false,
    meaning: 'What was captured and not given back is not what is invoiced, less what is credited or owed still.',
  },
  OMS_AUDIT_CREDIT_OPEN: {
    retryable: false,
    meaning: 'What was given up is not credited in full, or its money did not go back.',
  },
  OMS_AUDIT_NUMBER_GAP: { retryable: false, meaning: 'Invoices or credit notes are not numbered 1, 2, 3 and so on.' },
  OMS_AUDIT_SPEND_DIFFERS: {
    retryable: false,
    meaning: 'What a customer is said to have spent is not what was approved, less what was credited.',
  },
  OMS_AUDIT_CHARGE_REPEATED: {
    retryable: false,
    meaning: 'The payment provider took more than was asked for, or gave back more than it took.',
  },
  OMS_AUDIT_CHARGE_UNKNOWN: {
    retryable: false,
    meaning: 'The payment provider holds or took money of which there is no payment.',
  },
  OMS_AUDIT_CHARGE_MISSING: {
    retryable: false,
    meaning: 'The payment provider does not know a payment that was made.',
  },
  OMS_AUDIT_CHARGE_DIFFERS: { retryable: false, meaning: 'The payment provider has other sums than the payment.' },
  OMS_AUDIT_BOOKING_MISSING: { retryable: false, meaning: 'The carrier does not know a shipment that was booked.' },
  OMS_AUDIT_BOOKING_DIFFERS: { retryable: false, meaning: 'The shipment ended otherwise than the carrier says.' },
  // replay
  OMS_REPLAY_INVALID: {
    retryable: false,
    meaning: 'A replay cannot be planned as it was asked for; field, value and rule are named.',
  },
  OMS_REPLAY_UNKNOWN: { retryable: false, meaning: 'No replay with this id was ever planned.' },
  OMS_REPLAY_STATE: { retryable: false, meaning: 'The replay is in a state in which this cannot be done.' },
  OMS_REPLAY_NOTES_LOST: {
    retryable: false,
    meaning:
      'The database has recovered from a crash, which takes what a dry run has noted; a plan is to be made again.',
  },
  OMS_REPLAY_BUSY: { retryable: false, meaning: 'Another process runs the replay.' },
  OMS_REPLAY_TOPIC_CHANGED: {
    retryable: false,
    meaning: 'The topic no longer holds what was planned: it was made anew, or has another number of partitions.',
  },

  // environment
  OMS_KAFKA_UNAVAILABLE: { retryable: true, meaning: 'Kafka cannot be reached or did not accept the request.' },
  OMS_KAFKA_SEND_REJECTED: {
    retryable: true,
    meaning: 'A send was not confirmed for every partition it covered; it is sent again by a new producer.',
  },
  OMS_KAFKA_RECORD_TOO_LARGE: { retryable: false, meaning: 'A record is larger than the topic accepts.' },
  OMS_KAFKA_RECORD_REFUSED: {
    retryable: false,
    meaning: 'The broker, or the client while encoding it, refuses a record as it is.',
  },
  OMS_KAFKA_TLS_FAILED: {
    retryable: true,
    meaning: 'The broker and the client do not agree on TLS (`KAFKA_SSL`), or its certificate is not accepted.',
  },
  OMS_KAFKA_LOGIN_FAILED: {
    retryable: true,
    meaning: 'The broker wants another login than the one given: `KAFKA_SASL_MECHANISM`, user or password.',
  },
  OMS_KAFKA_PROTOCOL_APART: {
    retryable: false,
    meaning: 'The broker no longer speaks, or does not speak yet, a version of a request that the client needs.',
  },
  OMS_KAFKA_NOT_AUTHORIZED: {
    retryable: true,
    meaning: 'Kafka does not allow this principal to use the topic or group; run `oms setup --print-acls`.',
  },
  OMS_KAFKA_OFFSETS_LOST: {
    retryable: false,
    meaning: 'What a consumer group has committed is gone, or lies outside of what the topic holds (`oms doctor`).',
  },
  OMS_KAFKA_TOPIC_MISSING: { retryable: true, meaning: 'A topic does not exist; run `oms setup`.' },
  OMS_REGISTRY_UNAVAILABLE: { retryable: true, meaning: 'The schema registry cannot be reached or failed.' },
  OMS_REGISTRY_SCHEMA_MISSING: {
    retryable: false,
    meaning: 'Our schema is not registered under its subject; run `oms setup`.',
  },
  OMS_REGISTRY_SCHEMA_INCOMPATIBLE: {
    retryable: false,
    meaning: 'The registry would not take our schema beside those registered under its subject.',
  },
  OMS_TEMPORAL_NAMESPACE_MISSING: {
    retryable: false,
    meaning: 'The Temporal namespace does not exist; run `oms setup`.',
  },
  OMS_RETENTION_RISK: {
    retryable: false,
    meaning: 'Topics hold order events that are older than what Temporal and the ledger remember (`oms doctor`).',
  },
  OMS_CLOCK_SKEW: {
    retryable: false,
    meaning: 'The clock of this machine and that of the broker, database or Temporal differ (`oms doctor`).',
  },
  OMS_TEMPORAL_UNAVAILABLE: { retryable: true, meaning: 'Temporal cannot be reached or refused the request for now.' },
  OMS_DATABASE_UNAVAILABLE: { retryable: true, meaning: 'PostgreSQL cannot be reached or failed.' },
  OMS_DATABASE_MIGRATION_BEHIND: {
    retryable: false,
    meaning: 'The database lacks a migration this version needs; run `oms setup`.',
  },
  OMS_DEPLOYMENT_MISMATCH: {
    retryable: false,
    meaning: 'Database, Temporal namespace and topics belong to different deployments.',
  },
  OMS_DATABASE_BEHIND: {
    retryable: false,
    meaning:
      'The topics hold what the database does not know: it was restored from an older backup. Nothing starts on it until `oms rebuild --onto-backup` has brought it up to date.',
  },
  OMS_DATABASE_FEED_AHEAD: {
    retryable: false,
    meaning:
      'The database was restored on a server whose transaction ids are behind, so `/v1/events` tells nothing new; `oms setup` mends it.',
  },
  OMS_REBUILD_REFUSED: {
    retryable: false,
    meaning: 'The database may not be filled from the topics: it has a ledger of its own, or roles are running.',
  },
  OMS_REBUILD_UNDER_WAY: {
    retryable: false,
    meaning: 'A rebuild of the database was begun and has not ended; run again, it goes on.',
  },
  OMS_REBUILD_INCOMPLETE: {
    retryable: false,
    meaning: 'The topics do not hold all that is needed to go on; what has to be given by hand is named.',
  },

  // the local stack
  OMS_LOCAL_PORT_TAKEN: { retryable: false, meaning: 'A port of the local stack is taken by another program.' },
  OMS_LOCAL_JAVA_MISSING: { retryable: false, meaning: 'The local stack needs Java 17 or newer on the PATH.' },
  OMS_LOCAL_MAVEN_MISSING: { retryable: false, meaning: 'The local stack needs Maven on the PATH to fetch its parts.' },
  OMS_LOCAL_GO_MISSING: {
    retryable: false,
    meaning: 'The local stack found neither a `temporal` nor a `go` on the PATH.',
  },
  OMS_LOCAL_DOWNLOAD_FAILED: { retryable: false, meaning: 'A part of the local stack could not be fetched or built.' },
  OMS_LOCAL_DISK_FULL: { retryable: false, meaning: 'There is not enough disk space for the local stack.' },
  OMS_LOCAL_STATE_UNUSABLE: { retryable: false, meaning: 'The state directory of the local stack cannot be used.' },
  OMS_LOCAL_PLATFORM_UNSUPPORTED: {
    retryable: false,
    meaning: 'There is no PostgreSQL for this platform to run locally.',
  },
  OMS_LOCAL_START_FAILED: {
    retryable: false,
    meaning: 'A part of the local stack did not start; the end of its log is shown.',
  },
  OMS_LOCAL_ROLE_FAILED: { retryable: false, meaning: 'A role did not become ready; the end of its log is shown.' },
  OMS_LOCAL_ALREADY_UP: { retryable: false, meaning: 'Another `oms up` looks after this state directory.' },

  // configuration, set-up, command line
  OMS_CONFIG_INVALID: { retryable: false, meaning: 'One or more settings are not acceptable; all of them are listed.' },
  OMS_SETUP_DRIFT: { retryable: false, meaning: 'Something exists with other settings than it should have.' },
  OMS_CLI_USAGE: { retryable: false, meaning: 'The command line is not acceptable.' },
  OMS_CLI_INPUT_INVALID: {
    retryable: false,
    meaning: 'A line of the given file is not acceptable; line, field, value and rule are named.',
  },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Where and why an input broke a rule: shown to the user, kept with a dead letter. */
export interface Fault {
  /** Path of the field, as in the schema: `payload.items[2].quantity`. */
  field: string;
  /** The value as received, shortened for display. */
  value: string;
  /** The rule in words: "must be 1 or more". */
  rule: string;
  /** Where it stands in a file of many lines, from 1. */
  line?: number;
}

/** Thrown wherever the OMS reports a fault of its own table; `code` says which, `retryable` whether trying again can help. */
export class OmsError extends Error {
  override readonly name = 'OmsError';
  readonly code: ErrorCode;
  readonly fault: Fault | undefined;

  constructor(code: ErrorCode, message: string, options: { fault?: Fault; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fault = options.fault;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/** The longest excerpt of a received value that goes into a message or header. */
const SHOWN_CHARACTERS = 80;

/** A value as it may be shown to a person: quoted if text, control characters escaped, cut at 80 characters. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? 'undefined');
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** An error that names field, value and rule in its message. */
export function faultError(code: ErrorCode, fault: { field: string; value: unknown; rule: string }): OmsError {
  const named: Fault = { field: fault.field, value: shown(fault.value), rule: fault.rule };
  return new OmsError(code, `${named.field} is ${named.value}: ${named.rule}`, { fault: named });
}

export function isOmsError(error: unknown): error is OmsError {
  return error instanceof OmsError;
}
