import type { Database } from '../database.ts';
import { transaction } from '../database.ts';
import type { EventEncoder, NewEvent } from '../outbox.ts';
import { lockOrder } from './load.ts';
import type { FulfillmentRecord, OrderRecord } from './record.ts';
import { saveStep, snapshotOf } from './save.ts';

/** What a step works with. */
export interface StepDependencies {
  db: Database;
  encoder: EventEncoder;
}

/** `release`: promised pieces are free again. `commit`: promised pieces have left the warehouse. */
export type StockMove = { kind: 'release' | 'commit'; fulfillment: FulfillmentRecord };

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
}

/** One step of one order while it is being decided. Whatever is changed on `order` is saved, together with the events. */
export interface OrderStep {
  readonly order: OrderRecord;
  /** Id of the incoming event or name of the step that leads to it all. */
  readonly cause: string;
  readonly tx: Database;
  tell(event: NewEvent): void;
  moveStock(move: StockMove): void;
  readonly events: NewEvent[];
  readonly stock: StockMove[];
  readonly news: NewsRow[];
  readonly handled: HandledEvent[];
}

/**
 * Runs one step: locks and reads the order, lets `decide` change it, and saves what changed with the events that tell of
 * it (and an OrderStatus when anything did), all in one transaction. A step that changes nothing writes nothing, so
 * `decide` makes a repeat harmless by looking at what is there. Answers what `decide` returned, and the order as saved.
 * @throws OmsError OMS_ORDER_UNKNOWN, OMS_DATABASE_UNAVAILABLE, and whatever `decide` throws
 */
export async function orderStep<T>(
  deps: StepDependencies,
  orderId: string,
  cause: string,
  decide: (step: OrderStep) => T | Promise<T>,
): Promise<{ result: T; order: OrderRecord }> {
  return inTransaction(deps.db, async (tx) => {
    const order = await lockOrder(tx, orderId);
    const before = snapshotOf(order);
    const step = newStep(tx, order, cause);
    const result = await decide(step);
    await saveStep(deps.encoder, before, step);
    return { result, order };
  });
}

function newStep(tx: Database, order: OrderRecord, cause: string): OrderStep {
  const events: NewEvent[] = [];
  const stock: StockMove[] = [];
  return {
    order,
    cause,
    tx,
    events,
    stock,
    news: [],
    handled: [],
    tell: (event) => void events.push(event),
    moveStock: (move) => void stock.push(move),
  };
}

/** In the transaction that is open already, else in one of its own. */
function inTransaction<T>(db: Database, work: (tx: Database) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : transaction(db, work);
}
