import { sql } from 'kysely';
import pLimit from 'p-limit';
import { transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { recordDecision } from '../../database/decisions.ts';
import type { Operator } from '../../database/decisions.ts';
import { parkedFor } from '../../database/ledger/parked-events.ts';
import { OUTBOX_CHANNEL } from '../../database/outbox/outbox.ts';
import { isOmsError } from '../../domain/errors.ts';
import { confirm, deliver } from '../../orders/intake/deliver.ts';
import { noStep } from '../../orders/intake/step.ts';
import type { OrderWorkflows, RunRecovery } from '../../temporal/order-workflows.ts';
import { recoverOrder } from '../stuck/recovery.ts';
import type { Difference } from './difference.ts';

export interface RepairOptions {
  db: Database;
  workflows: OrderWorkflows & RunRecovery;
}

/**
 * Mends the differences that have a remedy, each recorded as a decision, and writes into them what came of it. What has
 * been mended by somebody else in the meantime is left alone.
 * @throws OmsError, retryable, when a part is away: what is done is done
 */
export async function repairAll(
  options: RepairOptions,
  by: Operator,
  differences: readonly Difference[],
): Promise<void> {
  for (const one of differences.filter(({ remedy }) => remedy === 'startAgain')) {
    one.repaired = await startAgain(options, by, one);
  }
  const toSend = differences.filter(({ remedy, orderId }) => remedy === 'sendAgain' && orderId !== null);
  for (const [orderId, all] of Map.groupBy(toSend, ({ orderId }) => orderId ?? '')) {
    const outcome = await sendAgain(options.db, by, orderId, all);
    for (const one of all) one.repaired = outcome;
  }
  for (const one of differences.filter(({ remedy }) => remedy === 'sendLetterAgain')) {
    one.repaired = await sendLetterAgain(options.db, by, one);
  }
}

async function startAgain({ db, workflows }: RepairOptions, by: Operator, one: Difference): Promise<string> {
  const orderId = one.orderId ?? '';
  try {
    const outcome =
      one.code === 'OMS_AUDIT_CLAIM_STALE'
        ? await startClaimed({ db, workflows }, orderId)
        : `its run was ${(await recoverOrder({ db, workflows }, orderId, 'goes on')).was}; a new one goes on`;
    await recordDecision(db, by, decisionAbout('order', orderId, one), { outcome });
    return outcome;
  } catch (error) {
    if (!isOmsError(error) || error.retryable) throw error;
    return `not needed any more: ${error.message}`;
  }
}

/** As the sweeper would: started, told what was parked, confirmed. */
async function startClaimed({ db, workflows }: RepairOptions, orderId: string): Promise<string> {
  const row = await db.selectFrom('ledger').select('source').where('order_id', '=', orderId).executeTakeFirst();
  const parked = await parkedFor(db, [orderId]);
  const lane = { orderId, source: row?.source ?? null, start: true, parked, signals: [] };
  const options = { db, workflows, limiter: pLimit(1), onStep: noStep };
  const delivery = await deliver(options, [lane], new AbortController().signal);
  if (delivery.failure !== undefined) throw delivery.failure;
  await confirm(db, delivery, []);
  return delivery.done[0]?.result.created ? 'started' : 'confirmed: its workflow was there already';
}

const decisionAbout = (kind: 'order' | 'event' | 'deadLetter', subject: string, { code, detail }: Difference) => ({
  ...{ kind, subject, action: 'repair', detail: { code, found: detail } },
});

/**
 * Lets the publisher send an order's events once more. Only while nothing else of the order is on its way, and under the
 * order's row lock, so that no later event can be sent before them.
 */
function sendAgain(db: Database, by: Operator, orderId: string, all: readonly Difference[]): Promise<string> {
  const eventIds = all.map(({ subject }) => subject);
  return transaction(db, async (tx) => {
    await sql`select from orders where order_id = ${orderId} for update`.execute(tx);
    const { rows } = await sql`
      update outbox set sent_at = null
      where event_id = any(${eventIds}::text[]) and sent_at is not null and skipped_at is null and not exists (
        select from outbox other where other.order_id = ${orderId} and other.sent_at is null
      ) returning 1
    `.execute(tx);
    if (rows.length === 0) return 'left: events of the order are on their way';
    const outcome = 'given to the publisher once more';
    for (const one of all) await recordDecision(tx, by, decisionAbout('event', one.subject, one), { outcome });
    await sql`select pg_notify(${OUTBOX_CHANNEL}, '')`.execute(tx);
    return outcome;
  });
}

/** Ingest's sweeper sends what is not acknowledged. A dead letter that is there after all is there twice, under one id. */
function sendLetterAgain(db: Database, by: Operator, one: Difference): Promise<string> {
  return transaction(db, async (tx) => {
    const { rows } = await sql`
      update dead_letters set sent_at = null where id = ${one.subject} and sent_at is not null returning 1
    `.execute(tx);
    if (rows.length === 0) return 'left: it is on its way';
    const outcome = 'given to ingest to be sent once more';
    await recordDecision(tx, by, decisionAbout('deadLetter', one.subject, one), { outcome });
    return outcome;
  });
}
