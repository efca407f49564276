import { sql } from 'kysely';
import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { Database } from '../../database/database.ts';
import { ledgerStates } from '../../database/ledger/ledger.ts';
import { ORDER_WORKFLOW } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { temporalError } from '../../temporal/order-workflows.ts';
import type { RunRecovery } from '../../temporal/order-workflows.ts';
import type { AuditCode, Difference, OrderCheck, Remedy, WholeCheck } from './difference.ts';

export interface WorkflowCheckOptions {
  db: Database;
  client: Client;
  workflows: Pick<RunRecovery, 'lastRun'>;
  /** With the deployment's prefix. */
  taskQueue: string;
  graceMs: number;
  /** Every workflow there was when the audit began; null = each page asks for its own. */
  listed: ListedRuns | null;
}

/** Orders asked about by one visibility query. */
const IDS_PER_QUERY = 100;
const DESCRIBED_AT_ONCE = 16;

interface Row {
  orderId: string;
  state: 'started' | 'closed';
  isSettled: boolean;
}

/**
 * Ledger ↔ Temporal. What was listed settles nearly all orders; of the rest visibility is asked anew, for many at once,
 * since they moved meanwhile; it may lag behind, so what it shows as missing is asked for by id.
 */
export function workflowCheck(options: WorkflowCheckOptions): OrderCheck {
  const limiter = pLimit(DESCRIBED_AT_ONCE);
  return async (orderIds) => {
    const started = await startedAmong(options, orderIds);
    const listed = await options.listed?.of(started.map(({ orderId }) => orderWorkflowId(orderId)));
    const rows = listed
      ? started.filter((row) => !agrees(row, listed.get(orderWorkflowId(row.orderId)) ?? []))
      : started;
    const shown = new Map<string, Execution[]>();
    for (let from = 0; from < rows.length; from += IDS_PER_QUERY) {
      const ids = rows.slice(from, from + IDS_PER_QUERY).map(({ orderId }) => orderWorkflowId(orderId));
      await collect(options.client, ids, shown);
    }
    const judged = rows.map((row) =>
      limiter(() => judge(options.workflows, row, shown.get(orderWorkflowId(row.orderId)) ?? [])),
    );
    return (await Promise.all(judged)).flat();
  };
}

async function startedAmong({ db, graceMs }: WorkflowCheckOptions, orderIds: readonly string[]): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select order_id as "orderId", state,
      coalesce(closed_at < clock_timestamp() - make_interval(secs => ${graceMs / 1_000}), false) as "isSettled"
    from ledger where order_id = any(${[...orderIds]}::text[]) and state in ('started', 'closed')
  `.execute(db);
  return rows;
}

async function collect(client: Client, ids: readonly string[], into: Map<string, Execution[]>): Promise<void> {
  const query = `WorkflowType = '${ORDER_WORKFLOW}' AND WorkflowId IN (${ids.map((id) => `'${id}'`).join(', ')})`;
  try {
    for await (const { workflowId, runId, status } of client.workflow.list({ query, pageSize: 1_000 })) {
      into.set(workflowId, [...(into.get(workflowId) ?? []), { status: status.name, runId }]);
    }
  } catch (error) {
    throw temporalError(error);
  }
}

/** A run that was ended from outside was, or is to be, replaced; one that went on in a new history is the same run. */
const isOwnRun = ({ status }: Execution): boolean => status === 'RUNNING' || status === 'COMPLETED';

/** One run at most, and it runs just as long as the ledger has the order open. */
function agrees({ state }: Row, shown: readonly Execution[]): boolean {
  const own = shown.filter(isOwnRun);
  return own.length <= 1 && (state === 'started') === (own[0]?.status === 'RUNNING');
}

async function judge(
  workflows: WorkflowCheckOptions['workflows'],
  { orderId, state, isSettled }: Row,
  shown: readonly Execution[],
): Promise<Difference[]> {
  const found = (code: AuditCode, detail: string, remedy: Remedy | null = null): Difference[] => [
    { part: 'temporal', code, orderId, subject: orderWorkflowId(orderId), detail, remedy },
  ];
  const own = shown.filter(isOwnRun);
  if (own.length > 1)
    return found('OMS_AUDIT_WORKFLOW_REPEATED', `${own.length} runs: ${own.map(({ runId }) => runId).join(', ')}`);
  if (agrees({ orderId, state, isSettled }, shown)) return [];
  const last = await workflows.lastRun(orderId);
  if (state === 'started' && !last.isRunning)
    return found('OMS_AUDIT_WORKFLOW_MISSING', `started, and its workflow is ${last.status}`, 'startAgain');
  if (state === 'closed' && last.isRunning && isSettled)
    return found('OMS_AUDIT_WORKFLOW_OPEN', 'closed, and its workflow still runs');
  return [];
}

/** Workflows of our task queue whose orders the ledger does not know. A claim comes before each start. */
export function unknownWorkflowCheck({
  db,
  client,
  taskQueue,
}: Pick<WorkflowCheckOptions, 'db' | 'client' | 'taskQueue'>): WholeCheck {
  return async () => {
    const running = `WorkflowType = '${ORDER_WORKFLOW}' AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
    const found: Difference[] = [];
    let page: string[] = [];
    const look = async (): Promise<void> => {
      const states = await ledgerStates(db, page);
      for (const orderId of page) {
        const state = states.get(orderId);
        if (state === undefined || state === 'awaited') found.push(unknown(orderId));
      }
      page = [];
    };
    try {
      for await (const { workflowId } of client.workflow.list({ query: running, pageSize: 1_000 })) {
        page.push(workflowId.slice(orderWorkflowId('').length));
        if (page.length >= 1_000) await look();
      }
    } catch (error) {
      throw temporalError(error);
    }
    await look();
    return found;
  };
}

function unknown(orderId: string): Difference {
  const detail = 'a workflow runs, and the ledger has no such order';
  const subject = orderWorkflowId(orderId);
  return { part: 'temporal', code: 'OMS_AUDIT_WORKFLOW_UNKNOWN', orderId, subject, detail, remedy: null };
}

/** A run of an order's workflow, as visibility shows it. */
interface Execution {
  status: string;
  runId: string;
}

/**
 * All runs visibility showed when it was asked, in a temporary table of one connection: a query a thousand runs, where
 * asking by id takes one a hundred orders, and none at all for orders that Temporal has forgotten. Runs that close
 * meanwhile are shown again further on; those that start are missing, and asked for by id.
 */
export interface ListedRuns {
  of(workflowIds: readonly string[]): Promise<Map<string, Execution[]>>;
}

const PAGE = 1_000;

/** @throws OmsError OMS_TEMPORAL_UNAVAILABLE */
export async function listRuns(connection: Database, client: Client): Promise<ListedRuns> {
  await sql`
    create temporary table audit_runs (
      workflow_id text collate "C", run_id text, status text not null, primary key (workflow_id, run_id)
    )
  `.execute(connection);
  let page: [string, string, string][] = [];
  const enter = async (): Promise<void> => {
    await insertRuns(connection, page);
    page = [];
  };
  try {
    const query = `WorkflowType = '${ORDER_WORKFLOW}'`;
    for await (const { workflowId, runId, status } of client.workflow.list({ query, pageSize: PAGE })) {
      page.push([workflowId, runId, status.name]);
      if (page.length === PAGE) await enter();
    }
  } catch (error) {
    throw temporalError(error);
  }
  await enter();
  await sql`analyze audit_runs`.execute(connection);
  return {
    of: (workflowIds) => runsOf(connection, workflowIds),
  };
}

/** A run that is shown twice, since it closed meanwhile, counts as it was shown last. */
async function insertRuns(db: Database, runs: readonly [string, string, string][]): Promise<void> {
  const last = [...new Map(runs.map((run) => [`${run[0]} ${run[1]}`, run])).values()];
  const column = (i: 0 | 1 | 2): string[] => last.map((run) => run[i]);
  await sql`
    insert into audit_runs select * from unnest(${column(0)}::text[], ${column(1)}::text[], ${column(2)}::text[])
    on conflict (workflow_id, run_id) do update set status = excluded.status
  `.execute(db);
}

async function runsOf(db: Database, workflowIds: readonly string[]): Promise<Map<string, Execution[]>> {
  const { rows } = await sql<Execution & { workflowId: string }>`
    select workflow_id as "workflowId", run_id as "runId", status from audit_runs
    where workflow_id = any(${[...workflowIds]}::text[])
  `.execute(db);
  return Map.groupBy(rows, ({ workflowId }) => workflowId);
}
