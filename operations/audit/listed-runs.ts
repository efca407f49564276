import type { Client } from '@temporalio/client';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { ORDER_WORKFLOW } from '../../domain/contract.ts';
import { temporalError } from '../../temporal/order-workflows.ts';

/** A run of an order's workflow, as visibility shows it. */
export interface Execution {
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
