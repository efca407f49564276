import { retrying } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import type { NewEvent } from '../../database/outbox/outbox.ts';
import { drawCreditNotes, owesCreditNotes, settleCreditNotes } from '../money/credit-notes.ts';
import { existingOrder } from './load.ts';
import type { HandledEvent, NewsRow, OrderStep, StepDependencies, StockMove } from './order-step.ts';
import type { OrderRecord } from './record.ts';
import { saveStep, snapshotOf } from './save.ts';
import type { Snapshot } from './save.ts';

/**
 * Runs one step: reads the order, lets `decide` change it, and saves what changed with the events that tell of it (and
 * an OrderStatus when anything did). Two round trips: the write is one statement that fails as a whole when the order
 * is no longer at the version that was read, and then the step is decided anew. A step that changes nothing writes
 * nothing, so `decide` makes a repeat harmless by looking at what is there. Answers what `decide` returned, and the
 * order as saved: `known` to the next step, it spares that one the reading.
 * @throws OmsError OMS_ORDER_UNKNOWN, OMS_DATABASE_UNAVAILABLE, and whatever `decide` throws
 */
export async function orderStep<T>(
  deps: StepDependencies,
  orderId: string,
  cause: string,
  decide: (step: OrderStep) => T | Promise<T>,
  known?: OrderRecord,
): Promise<{ result: T; order: OrderRecord }> {
  let spared = known && laterBy(known, performance.now() - known.askedAt);
  const attempt = async (): Promise<{ result: T; order: OrderRecord }> => {
    const order = spared ?? (await existingOrder(deps.db, orderId));
    spared = undefined;
    const before = snapshotOf(order);
    const step = newStep(deps.db, order, cause);
    const result = await decide(step);
    await save(deps, before, step);
    return { result, order };
  };
  // A transaction that has failed cannot go on: whoever has opened it begins again.
  return deps.db.isTransaction ? attempt() : retrying(attempt);
}

/**
 * Decides a step as `orderStep` would, and saves nothing of it.
 * @throws OmsError OMS_ORDER_UNKNOWN, OMS_DATABASE_UNAVAILABLE, and whatever `decide` throws
 */
export async function previewStep<T>(
  db: Database,
  orderId: string,
  decide: (step: OrderStep) => T | Promise<T>,
): Promise<{ result: T; order: OrderRecord }> {
  return retrying(async () => {
    const order = await existingOrder(db, orderId);
    return { result: await decide(newStep(db, order, 'preview')), order };
  });
}

/** Saves the step; with the credit notes it has come to owe, whose numbers are taken in the transaction they are written in. */
async function save({ db, encoder }: StepDependencies, before: Snapshot, step: OrderStep): Promise<void> {
  const write = async (tx: Database): Promise<void> => {
    if (owesCreditNotes(step)) await drawCreditNotes({ ...step, db: tx });
    settleCreditNotes(step);
    await saveStep(encoder, before, { ...step, db: tx });
  };
  if (db.isTransaction || !owesCreditNotes(step)) return write(db);
  await db.transaction().execute(write);
}

/** The same order some time later, by the database's clock. */
function laterBy(order: OrderRecord, ms: number): OrderRecord {
  return { ...order, now: order.now + Math.round(ms), askedAt: order.askedAt + ms };
}

function newStep(db: Database, order: OrderRecord, cause: string): OrderStep {
  const events: NewEvent[] = [];
  const stock: StockMove[] = [];
  const news: NewsRow[] = [];
  const handled: HandledEvent[] = [];
  return {
    order,
    cause,
    db,
    events,
    stock,
    news,
    handled,
    differences: [],
    tell: (event) => void events.push(event),
    moveStock: (move) => void stock.push(move),
  };
}
