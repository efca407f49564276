import { Client, WorkflowNotFoundError } from '@temporalio/client';
import pLimit from 'p-limit';
import { databaseError } from '../../database/database.ts';
import { recordDecision } from '../../database/decisions.ts';
import type { Operator } from '../../database/decisions.ts';
import { keepEarlierIds, writeAccounted } from '../../database/deployment/deployment.ts';
import { staleClaims } from '../../database/ledger/ledger.ts';
import { parkedFor } from '../../database/ledger/parked-events.ts';
import { migrate } from '../../database/migrate.ts';
import { mendFeed } from '../../database/outbox/outbox-feed.ts';
import { ORDERS_TASK_QUEUE } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { foreignTo } from '../../kafka/admin/deployment-mark.ts';
import { confirm, deliver } from '../../orders/intake/deliver.ts';
import type { Lane } from '../../orders/intake/deliver.ts';
import { decodeLevels } from '../../orders/intake/levels.ts';
import { noStep } from '../../orders/intake/step.ts';
import { applySentPrices } from '../../orders/money/price-list.ts';
import { FUNCTIONS } from '../../orders/money/spend.ts';
import { applyLevels } from '../../orders/stock/stock-levels.ts';
import { deploymentParts, readMarks, writeMarks } from '../../resources/deployment.ts';
import type { Parts } from '../../resources/deployment.ts';
import { setUpProviders } from '../../resources/providers.ts';
import type { Resources } from '../../resources/resources.ts';
import { topicEnds } from '../../resources/topic-ends.ts';
import { createOrderWorkflows, temporalError, timersOf } from '../../temporal/order-workflows.ts';
import type { OrderWorkflows } from '../../temporal/order-workflows.ts';
import { deriveOrders } from './derive.ts';
import { admitRebuild, assertCreditNotesKnown, endRebuild } from './guard.ts';
import { closeRebuilt, settleRebuilt } from './order/settle.ts';
import type { LostNumbers, NextNumbers } from './order/settle.ts';
import { readOrders } from './read-orders.ts';
import { readLetters, readOutgoing } from './read-outgoing.ts';
import { readAll } from './topics.ts';
import type { RebuildContext } from './topics.ts';

export interface RebuildOptions extends Operator {
  /** The database is an older one of the deployment, restored, and is to be brought up to date. @default false */
  ontoBackup?: boolean;
  /** The state directory when the parts are those of its local stack. */
  stateDir?: string;
  /** Where the topics do not tell. */
  next?: NextNumbers;
  onStep?: (step: string) => void;
  onRecords?: (count: number) => void;
}

export interface RebuildResult {
  deploymentId: string;
  /** It was brought up to date, not filled anew. */
  isBackup: boolean;
  /** Orders whose state was written anew: of a new database all, of a backup those that went on after it. */
  orders: number;
  closed: number;
  /** Orders that go on in a new run. */
  restarted: number;
  deadLetters: number;
  /** Records on our topics that are none of our events or dead letters. */
  unreadable: number;
  /** Records that other deployments have put there: they are left where they are. */
  foreign: number;
  /** Under whose numbers the outbox has other events: the database told events after it was restored. */
  contradicted: string[];
  /** Numbers of documents that are gone: invoices of charges outside of orders, or never told. */
  lostNumbers: LostNumbers;
  /** Told of, but without a status. */
  withoutStatus: string[];
  /** Taken once, and nobody has a trace of them: `oms replay` starts them, if they are to be. */
  untraced: { count: number; orderIds: string[] };
}

/**
 * Fills a new database from the topics and Temporal, in the place of one that was lost, or brings a restored backup up to
 * what they know: outbox, dead letters, ledger, order state, money, numbers, stock. Only at the end may roles start.
 * Whatever cuts it off, it can be begun again.
 * @throws OmsError OMS_REBUILD_REFUSED, OMS_REBUILD_INCOMPLETE, OMS_DEPLOYMENT_MISMATCH, or a retryable one
 */
export async function runRebuild(resources: Resources, options: RebuildOptions): Promise<RebuildResult> {
  const { onRecords = () => undefined } = options;
  const parts = await deploymentParts(resources, options.stateDir);
  const codec = await resources.codec();
  try {
    await migrate(parts.db, FUNCTIONS);
    await setUpProviders(parts.db);
    return await rebuild({ ...parts, codec, onRecords }, options);
  } catch (error) {
    throw databaseError(error);
  }
}

async function rebuild(
  parts: Parts & Pick<RebuildContext, 'codec' | 'onRecords'>,
  options: RebuildOptions,
): Promise<RebuildResult> {
  const { db } = parts;
  const step = options.onStep ?? (() => undefined);
  const { mark, isBackup } = await admitRebuild(parts, options.ontoBackup ?? false);
  const context: RebuildContext = { ...parts, isForeign: foreignTo(mark) };
  const ends = await topicEnds(context);
  await mendFeed(db);
  step('dead letters');
  const letters = await readLetters(context);
  step('events of orders');
  const events = await readOutgoing(context);
  if (!isBackup) await assertCreditNotesKnown(context, options.next?.creditNote);
  step('orders');
  const { untraced } = await readOrders(context);
  step('state of orders');
  const { orders, withoutStatus } = await deriveOrders(context);
  const closed = await db.transaction().execute((tx) => closeRebuilt(tx));
  const lostNumbers = await db.transaction().execute((tx) => settleRebuilt(tx, options.next ?? {}));
  step('stock and prices');
  await readLevels(context);
  step('open orders');
  const restarted = await restartOpen(context);
  const counts = { deploymentId: mark.id, orders, closed, restarted, deadLetters: letters.deadLetters };
  const others = { unreadable: events.unreadable + letters.unreadable, foreign: events.foreign + letters.foreign };
  const { contradicted } = events;
  const result = { ...counts, ...others, isBackup, contradicted, lostNumbers, withoutStatus, untraced };
  await recordDecision(db, options, { kind: 'deployment', subject: mark.id, action: 'rebuild' }, result);
  await writeAccounted(db, ends);
  await keepEarlierIds(db, mark.id, mark.earlier);
  await writeMarks(context, mark, await readMarks(context));
  await endRebuild(context, mark.id);
  return result;
}

async function readLevels(context: RebuildContext): Promise<void> {
  await readAll(context, ['stock-levels'], async (_kind, records) => {
    const decoded = await decodeLevels(context.codec, records[0]?.topic ?? '', records);
    const levels = decoded.filter((one) => one.kind === 'level');
    await applyLevels(
      context.db,
      levels.map(({ level }) => level),
    );
    await applySentPrices(
      context.db,
      levels.flatMap(({ price }) => price ?? []),
    );
  });
}

const PAGE_ORDERS = 200;
const AT_ONCE = 16;

/**
 * Gives every open order a new run, with the events that were told to the old one. A run that goes on would remember more
 * than the database now has: it does not go back to an older state, and would wait for it for ever.
 */
async function restartOpen({ db, config, temporal }: RebuildContext): Promise<number> {
  const client = new Client({ connection: temporal, namespace: config.TEMPORAL_NAMESPACE });
  const workflows = createOrderWorkflows({
    client,
    taskQueue: `${config.OMS_PREFIX}${ORDERS_TASK_QUEUE}`,
    timersOf: timersOf(config),
  });
  const again: OrderWorkflows = {
    signal: (orderId, message) => workflows.signal(orderId, message),
    start: async (orderId, parked, source) => {
      await end(client, orderId);
      return workflows.restart(orderId, parked, source);
    },
  };
  const options = { db, workflows: again, limiter: pLimit(AT_ONCE), onStep: noStep };
  let restarted = 0;
  for (;;) {
    const claimed = await staleClaims(db, 0, PAGE_ORDERS);
    if (claimed.size === 0) return restarted;
    const parked = Map.groupBy(await parkedFor(db, [...claimed.keys()]), (event) => event.orderId);
    const lanes = [...claimed].map(([orderId, source]): Lane => ({
      ...{ orderId, source, start: true, parked: parked.get(orderId) ?? [], signals: [] },
    }));
    const delivery = await deliver(options, lanes, new AbortController().signal);
    await confirm(db, delivery, []);
    if (delivery.failure !== undefined) throw delivery.failure;
    restarted += lanes.length;
  }
}

async function end(client: Client, orderId: string): Promise<void> {
  try {
    await client.workflow
      .getHandle(orderWorkflowId(orderId))
      .terminate('goes on in a new run, from a rebuilt database');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalError(error);
  }
}
