import type { Connection } from '@temporalio/client';
import { describeNamespace } from '../../temporal/client.ts';
import type { ReportStep } from './steps.ts';

/** Registers the namespace if it is missing; never changes one that exists. */
export async function setupNamespace(
  connection: Connection,
  namespace: string,
  retentionMs: number,
  report: ReportStep,
): Promise<void> {
  const part = `namespace ${namespace}`;
  const existing = await describeNamespace(connection, namespace);
  if (existing) {
    const detail = `closed workflows are kept ${inWords(existing.retentionMs)}`;
    return report({ part, outcome: existing.retentionMs < retentionMs ? 'kept' : 'unchanged', detail });
  }
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: Math.round(retentionMs / 1_000) as unknown as Long },
    description: 'Orders of the order management system.',
  });
  await untilUsable(connection, namespace);
  report({ part, outcome: 'created', detail: `closed workflows are kept ${inWords(retentionMs)}` });
}

type Long = NonNullable<
  NonNullable<
    NonNullable<Parameters<Connection['workflowService']['registerNamespace']>[0]>['workflowExecutionRetentionPeriod']
  >['seconds']
>;

/** A server learns of a new namespace only when it next refreshes its list. */
async function untilUsable(connection: Connection, namespace: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function inWords(ms: number): string {
  const hours = ms / 3_600_000;
  return hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`;
}
