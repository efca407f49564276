import type { Generated, ColumnType } from 'kysely';
import type { Json, Time } from './tables/column-types.ts';
import type { DeadLettersTable, OperatorDecisionsTable } from './tables/dead-letters.ts';
import type { LedgerEventsTable, LedgerTable, ParkedCarrierNewsTable, ParkedEventsTable } from './tables/ledger.ts';
import type {
  ChargesTable,
  CreditNotesTable,
  CustomerSpendTable,
  InvoicesTable,
  PaymentsTable,
  SpendDecisionsTable,
} from './tables/money.ts';
import type {
  CarrierUpdatesTable,
  FulfillmentItemsTable,
  FulfillmentsTable,
  OrderItemsTable,
  OrdersTable,
  OutboxTable,
  ShipmentsTable,
  StepsTable,
} from './tables/orders.ts';
import type {
  ReplayActionsTable,
  ReplayDraftsTable,
  ReplayNotesTable,
  ReplayPartsTable,
  ReplaysTable,
} from './tables/replays.ts';
import type { PriceHistoryTable, PriceLevelsTable, PricesTable, StockTable } from './tables/stock.ts';

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

/** Answers that were given under an Idempotency-Key. */
export interface HttpRequestsTable {
  key: string;
  request_hash: Buffer;
  status: number;
  headers: Json<Record<string, string>>;
  body: ColumnType<unknown, string | null, string | null>;
  at: Time;
}
