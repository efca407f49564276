import type { Database } from '../../database/database.ts';
import { decideAnew, endDecision } from '../../database/decisions.ts';
import type { Operator } from '../../database/decisions.ts';
import { releaseRun } from '../../database/ledger/ledger.ts';
import { CAUSE_FORMS } from '../../domain/causes.ts';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import { MESSAGE_KINDS, MESSAGE_VERSION } from '../../domain/order-messages.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { REASONS } from '../../domain/reasons.ts';
import type { RunRecovery } from '../../temporal/order-workflows.ts';

export interface RecoveryOptions {
  db: Database;
  workflows: RunRecovery;
}

export interface Recovered {
  orderId: string;
  /** What Temporal says of the run that is gone. */
  was: string;
  /** What the new run does first. */
  then: 'goes on' | 'cancels' | 'fails';
}

/**
 * Gives an order whose run was terminated, or lost with Temporal's database, a new run: it goes on from what the database
 * holds, cancels what can be cancelled, or gives it up as failed. Steps are idempotent, so nothing is charged or shipped again. Safe to repeat.
 * @throws OmsError OMS_ORDER_UNKNOWN, OMS_ORDER_STILL_RUNNING, OMS_TEMPORAL_UNAVAILABLE, OMS_DATABASE_UNAVAILABLE
 */
export async function recoverOrder(
  { db, workflows }: RecoveryOptions,
  orderId: string,
  then: Recovered['then'],
): Promise<Recovered> {
  const row = await startedRow(db, orderId);
  const last = await workflows.lastRun(orderId);
  const runs = (): OmsError => new OmsError('OMS_ORDER_STILL_RUNNING', `order ${orderId} has a run, ${last.status}`);
  if (last.isRunning || !(await releaseRun(db, orderId, row.run_id))) throw runs();
  const parked = then === 'goes on' ? [] : [giveUpOf(row.run_id ?? last.runId ?? 'unknown', then)];
  if ((await workflows.restart(orderId, parked, row.source)) === 'alreadyStarted') throw runs();
  return { orderId, was: last.status, then };
}

/** The same, as a decision of an operator, which is written down before it is carried out. */
export async function recoverByOperator(
  options: RecoveryOptions,
  by: Operator,
  orderId: string,
  then: Recovered['then'],
): Promise<Recovered> {
  const { db } = options;
  const decision = await decideAnew(db, by, { kind: 'order', subject: orderId, action: 'recover', detail: { then } });
  try {
    const recovered = await recoverOrder(options, orderId, then);
    await endDecision(db, decision.id, recovered);
    return recovered;
  } catch (error) {
    if (isOmsError(error) && !error.retryable) await endDecision(db, decision.id, { refused: error.code });
    throw error;
  }
}

async function startedRow(db: Database, orderId: string) {
  const row = await db
    .selectFrom('ledger')
    .select(['state', 'run_id', 'source'])
    .where('order_id', '=', orderId)
    .executeTakeFirst();
  if (!row) throw new OmsError('OMS_ORDER_UNKNOWN', `no order ${orderId} is known`);
  if (row.state === 'started') return row;
  const why =
    row.state === 'closed' ? 'is closed: all of it has come to its end' : `is ${row.state}: ingest will start it`;
  throw new OmsError('OMS_ORDER_STILL_RUNNING', `order ${orderId} ${why}`);
}

/** One wish for each run that is gone, however often it is asked for. */
function giveUpOf(runId: string, then: 'cancels' | 'fails'): LifecycleMessage {
  const reason = then === 'cancels' ? REASONS.cancelledAfterLostRun : REASONS.givenUpAfterLostRun;
  const as = then === 'fails' ? ({ as: 'failed' } as const) : {};
  return {
    v: MESSAGE_VERSION,
    kind: MESSAGE_KINDS.cancel,
    eventId: CAUSE_FORMS.recover(runId),
    reason,
    fulfillmentId: null,
    ...as,
  };
}
