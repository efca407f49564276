import type { Database } from '../../database/database.ts';
import type { EventEncoder, NewEvent } from '../../database/outbox/outbox.ts';
import type { KeptLine } from '../../domain/credit.ts';
import type { FulfillmentRecord, OrderRecord } from './record.ts';

/** What a step works with. */
export interface StepDependencies {
  db: Database;
  encoder: EventEncoder;
}

/**
 * `reserve`: pieces are promised. `release`: promised pieces are free again. `commit`: promised pieces have left the
 * warehouse. `return`: pieces that had left are back.
 */
export type StockMove = { kind: 'reserve' | 'release' | 'commit' | 'return'; fulfillment: FulfillmentRecord };

/** News from a carrier, to be kept with what came of it. */
export interface NewsRow {
  update_id: string;
  shipment_id: string;
  status: string;
  applied: boolean;
  /** ISO 8601 */
  occurred_at: string;
  detail: string | null;
}

/** An incoming event the order's workflow is done with. */
export interface HandledEvent {
  eventId: string;
  type: string;
  outcome: 'handled' | 'refused';
  /** Why it was refused, with its error code. */
  reason?: string;
}

/** A part of an invoice that is not owed any more; the rest is. */
export interface Difference {
  fulfillment: FulfillmentRecord;
  /** What stays of each line. */
  kept: readonly KeptLine[];
  reason: string;
}

/** One step of one order while it is being decided. Whatever is changed on `order` is saved, together with the events. */
export interface OrderStep {
  readonly order: OrderRecord;
  /** Id of the incoming event or name of the step that leads to it all. */
  readonly cause: string;
  /** For what else it has to read. */
  readonly db: Database;
  tell(event: NewEvent): void;
  moveStock(move: StockMove): void;
  readonly events: NewEvent[];
  readonly stock: StockMove[];
  readonly news: NewsRow[];
  readonly handled: HandledEvent[];
  /** Parts of invoices that are not owed any more. */
  readonly differences: Difference[];
}
