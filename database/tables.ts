import type { ColumnType, Generated } from 'kysely';
import type { Fault } from '../domain/errors.ts';
import type { InvoiceLine, Pricing } from '../domain/invoice.ts';
import type { LifecycleMessage, Overdue } from '../domain/lifecycle.ts';
import type { PaymentMode } from '../domain/money.ts';
import type { Address, PlacedOrder } from '../domain/order.ts';
import type { ReplayMode } from '../domain/replay-modes.ts';
import type { FulfillmentStatus, OrderStatus, PaymentStatus, ShipmentStatus } from '../domain/status.ts';

/** Set by the database unless given. */
type Time = ColumnType<Date, Date | undefined, Date>;
type Json<T> = ColumnType<T, string, string>;

/** Where a record stood on its topic, and its bytes. */
interface RecordColumns {
  record_topic: string;
  record_partition: number;
  record_offset: number;
  record_time: Date;
  record_key: Buffer | null;
  record_value: Buffer | null;
  record_headers: Json<Record<string, string[]>>;
}

export type LedgerState = 'awaited' | 'claimed' | 'started' | 'closed';

export interface LedgerTable {
  order_id: string;
  state: LedgerState;
  source: string | null;
  fingerprint: Buffer | null;
  fingerprint_version: number | null;
  placed_event_id: string | null;
  run_id: string | null;
  placed: ColumnType<PlacedOrder | null, string | null, string | null>;
  record_value: Buffer | null;
  record_topic: string | null;
  record_partition: number | null;
  record_offset: number | null;
  record_time: Date | null;
  awaited_at: Date | null;
  claimed_at: Date | null;
  started_at: Date | null;
  closed_at: Date | null;
}

export interface LedgerEventsTable {
  order_id: string;
  event_id: string;
  type: string;
  outcome: 'started' | 'signalled' | 'handled' | 'late' | 'refused';
  payload_hash: Buffer | null;
  /** Why it was refused. */
  reason: Generated<string | null>;
  at: Time;
}

export interface ParkedEventsTable extends RecordColumns {
  order_id: string;
  event_id: string;
  message: Json<LifecycleMessage>;
  payload_hash: Buffer | null;
  source: string | null;
  sequence: number | null;
  parked_at: Time;
  deadline: Date;
}

export interface DeadLettersTable extends RecordColumns {
  id: string;
  code: string;
  message: string;
  fault: ColumnType<Fault | null, string | null, string | null>;
  order_id: string | null;
  source: string | null;
  created_at: Time;
  sent_at: Date | null;
  decision: LetterDecision | null;
  decided_at: Date | null;
  /** How often its record had been put back on its topic when it was refused. */
  attempt: Generated<number>;
}

/** What an operator decided about a dead letter. */
export type LetterDecision = 'retried' | 'edited' | 'dropped';

export interface OperatorDecisionsTable {
  id: Generated<number>;
  kind: 'deadLetter' | 'event' | 'order' | 'deployment';
  subject: string;
  action: string;
  who: string;
  why: string;
  detail: Json<Record<string, unknown>>;
  at: Time;
  /** Null while it is being carried out. */
  done_at: Date | null;
  outcome: ColumnType<unknown, string | null, string | null>;
}

export interface OrdersTable {
  order_id: string;
  run_id: string;
  source: string;
  customer_id: string;
  currency: string;
  ship_to: ColumnType<Address | null, string | null, string | null>;
  status: OrderStatus;
  reason: string | null;
  placed_at: Date;
  received_at: Time;
  updated_at: Time;
  closed_at: Date | null;
  overdue: Generated<Overdue | null>;
  round: Generated<number>;
  version: Generated<number>;
  /** When its state was filled anew from the topics: its older events may be gone. */
  rebuilt_at: Date | null;
  /** Last sequence per topic (without prefix). */
  sequences: ColumnType<Record<string, number>, string | undefined, string>;
}

export interface OrderItemsTable {
  order_id: string;
  line: number;
  sku: string;
  quantity: number;
  unit_price: number | null;
  description: string | null;
  /** Of its order. */
  received_at: Date;
}

export interface FulfillmentsTable {
  fulfillment_id: string;
  order_id: string;
  n: number;
  round: number;
  warehouse: string | null;
  status: FulfillmentStatus;
  reason: string | null;
  updated_at: Time;
  holds_stock: Generated<boolean>;
}

export interface FulfillmentItemsTable {
  fulfillment_id: string;
  line: number;
  sku: string;
  quantity: number;
  unit_price: number | null;
}

export interface StockTable {
  warehouse: string;
  sku: string;
  /** While there is a shortage: what is reserved, not what is there. */
  on_hand: number;
  reserved: Generated<number>;
  /** Promised, and not there. */
  shortage: Generated<number>;
  /** Counts the moves. */
  version: Generated<number>;
  /** Of the newest level from upstream; null before the first. */
  level_version: number | null;
  counted_at: Date | null;
  updated_at: Time;
}

/** The prices in force. */
export interface PricesTable {
  sku: string;
  currency: string;
  unit_price: number;
  updated_at: Time;
  /** Of the price list that brought this price. */
  list_version: Generated<number>;
  from_warehouse: string | null;
  from_version: number | null;
}

export interface PriceHistoryTable {
  sku: string;
  currency: string;
  list_version: number;
  unit_price: number;
  changed_at: Time;
}

/** The newest price each warehouse has sent. */
export interface PriceLevelsTable {
  sku: string;
  currency: string;
  warehouse: string;
  unit_price: number;
  level_version: number;
  counted_at: Date;
}

export interface StepsTable {
  key: string;
  order_id: string;
  result: ColumnType<unknown, string | null, string | null>;
  tombstone: Generated<boolean>;
  at: Time;
}

export interface InvoicesTable {
  invoice_id: string;
  series: string;
  number: number;
  fulfillment_id: string;
  order_id: string;
  customer_id: string;
  currency: string;
  sub_total: number;
  tax: number;
  shipping: number;
  total: number;
  lines: Json<InvoiceLine[]>;
  pricing: Json<Pricing>;
  issued_at: Time;
}

export interface CreditNotesTable {
  credit_note_id: string;
  series: string;
  number: number;
  invoice_id: string;
  fulfillment_id: string;
  order_id: string;
  customer_id: string;
  currency: string;
  sub_total: number;
  tax: number;
  shipping: number;
  total: number;
  lines: Json<InvoiceLine[]>;
  reason: string;
  refunded: Generated<number>;
  issued_at: Time;
  settled_at: Date | null;
}

export interface PaymentsTable {
  fulfillment_id: string;
  order_id: string;
  status: PaymentStatus;
  mode: Generated<PaymentMode>;
  captured: Generated<number>;
  currency: string;
  amount: number;
  reference: string | null;
  auth_code: string | null;
  decline_reason: string | null;
  refunded: Generated<number>;
  requested_at: Time;
  settled_at: Date | null;
}

export interface ShipmentsTable {
  shipment_id: string;
  order_id: string;
  status: ShipmentStatus;
  carrier: string | null;
  booking_reference: string | null;
  tracking_number: string | null;
  service: string | null;
  /** Minor units of the order's currency. */
  quoted_price: number | null;
  failed_attempts: Generated<number>;
  requested_at: Time;
  booked_at: Date | null;
  dispatched_at: Date | null;
  ended_at: Date | null;
  updated_at: Time;
}

export interface CarrierUpdatesTable {
  update_id: string;
  shipment_id: string;
  status: string;
  applied: boolean;
  occurred_at: Date;
  received_at: Time;
  detail: string | null;
}

/** Without a record if the news came by push. */
export interface ParkedCarrierNewsTable {
  shipment_id: string;
  update_id: string;
  news: Json<unknown>;
  record_topic: string | null;
  record_partition: number | null;
  record_offset: number | null;
  record_time: Date | null;
  record_key: Buffer | null;
  record_value: Buffer | null;
  record_headers: ColumnType<Record<string, string[]> | null, string | null, string | null>;
  parked_at: Time;
  tried_at: Time;
  deadline: Date;
}

export interface OutboxTable {
  id: Generated<number>;
  event_id: string;
  order_id: string;
  /** Null on a record for one of our input topics, as is `sequence`. */
  version: number | null;
  topic: string;
  sequence: number | null;
  type: string;
  cause: string;
  key: string;
  value: Buffer;
  headers: Json<Record<string, string>>;
  shard: number;
  created_at: Time;
  sent_at: Date | null;
  held_reason: string | null;
  /** When it was given up: `sent_at` then only says that nobody will send it. */
  skipped_at: Date | null;
  /** Of the transaction that wrote it, as text. */
  tx: Generated<string>;
}

/** Answers that were given under an Idempotency-Key. */
export interface HttpRequestsTable {
  key: string;
  request_hash: Buffer;
  status: number;
  headers: Json<Record<string, string>>;
  body: ColumnType<unknown, string | null, string | null>;
  at: Time;
}

export interface CustomerSpendTable {
  customer_id: string;
  currency: string;
  spent: Generated<number>;
  spend_limit: number | null;
  updated_at: Time;
  /** How often the sum was begun anew. */
  tally: Generated<number>;
}

export interface SpendDecisionsTable {
  fulfillment_id: string;
  order_id: string;
  customer_id: string;
  currency: string;
  amount: number;
  approved: boolean;
  given_back: Generated<number>;
  decided_at: Time;
  /** Of the customer's tallies the one it counts in. */
  tally: Generated<number>;
}

/** Charges outside of any order. */
export interface ChargesTable {
  charge_id: string;
  /** What the caller names it by. */
  reference: string;
  requested_at: Time;
}

/** What an operator asked to be read, or told, again; the types of its parts are in replays.ts. */
export interface ReplaysTable {
  replay_id: string;
  mode: ReplayMode;
  state: 'planning' | 'planned' | 'running' | 'paused' | 'aborted' | 'finished';
  options: Json<unknown>;
  planned: ColumnType<unknown, string | null | undefined, string | null>;
  requested_by: string;
  reason: string;
  created_at: Time;
  started_at: Date | null;
  ended_at: Date | null;
  updated_at: Time;
}

export interface ReplayPartsTable {
  replay_id: string;
  partition: number;
  from_offset: number;
  end_offset: number;
  next_offset: number;
  tallies: Json<Record<string, number>>;
  effects: Json<Record<string, number>>;
  /** Records that are being worked on: see `ReplayPart`. */
  pending: ColumnType<[number, string, boolean?][] | null, string | null, string | null>;
}

export interface ReplayActionsTable {
  id: Generated<number>;
  replay_id: string;
  action: string;
  done_by: string;
  detail: string | null;
  at: Time;
}

export interface ReplayDraftsTable {
  replay_id: string;
  order_id: string;
  event_id: string;
  content_hash: Buffer;
  /** Of the event that places the order; null on all others, as is the fingerprint. */
  source: string | null;
  fingerprint: Buffer | null;
}

export interface ReplayNotesTable {
  replay_id: string;
  subject: string;
  name: string;
  n: Generated<number>;
  value: Json<unknown>;
}

/** The tables as of the newest migration. */
export interface Tables {
  deployment: { singleton: Generated<boolean>; id: string; created_at: Time; ledger_since: Date | null };
  ledger: LedgerTable;
  ledger_events: LedgerEventsTable;
  parked_events: ParkedEventsTable;
  dead_letters: DeadLettersTable;
  operator_decisions: OperatorDecisionsTable;
  orders: OrdersTable;
  order_items: OrderItemsTable;
  fulfillments: FulfillmentsTable;
  fulfillment_items: FulfillmentItemsTable;
  stock: StockTable;
  prices: PricesTable;
  price_list: { singleton: Generated<boolean>; version: Generated<number>; changed_at: Time };
  price_history: PriceHistoryTable;
  price_levels: PriceLevelsTable;
  steps: StepsTable;
  invoice_series: { series: string; next: Generated<number> };
  invoices: InvoicesTable;
  credit_notes: CreditNotesTable;
  payments: PaymentsTable;
  shipments: ShipmentsTable;
  carrier_updates: CarrierUpdatesTable;
  parked_carrier_news: ParkedCarrierNewsTable;
  outbox: OutboxTable;
  http_requests: HttpRequestsTable;
  replays: ReplaysTable;
  replay_parts: ReplayPartsTable;
  replay_actions: ReplayActionsTable;
  replay_drafts: ReplayDraftsTable;
  replay_notes: ReplayNotesTable;
  settings: { name: string; value: Json<unknown>; updated_at: Time };
  customer_spend: CustomerSpendTable;
  spend_decisions: SpendDecisionsTable;
  charges: ChargesTable;
}
