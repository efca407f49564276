import type { Database } from '../database.ts';
import { transaction } from '../database.ts';
import type { NewEvent } from '../outbox.ts';
import { lockOrder } from './load.ts';
import type { OrderRecord } from './record.ts';
import { saveStep, snapshotOf } from './save.ts';
import type { OrderStep, StepDependencies, StockMove } from './step-types.ts';

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
