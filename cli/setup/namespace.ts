import type { Connection } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import { NAMESPACE_DEPLOYMENT_KEY } from '../../domain/contract.ts';
import type { ReportStep } from './steps.ts';

/** What setting up knows of a namespace. */
export interface Namespace {
  retentionMs: number;
  /** Free data of the namespace. */
  data: Record<string, string>;
}

const NOT_FOUND = 5;

/** The namespace, or undefined when it is not registered. */
export async function describeNamespace(connection: Connection, namespace: string): Promise<Namespace | undefined> {
  try {
    const answer = await connection.workflowService.describeNamespace({ namespace });
    const seconds = Number(answer.config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    return { retentionMs: seconds * 1_000, data: { ...answer.namespaceInfo?.data } };
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return undefined;
    throw error;
  }
}

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

export async function readNamespaceMark(connection: Connection, namespace: string): Promise<string | undefined> {
  return (await describeNamespace(connection, namespace))?.data[NAMESPACE_DEPLOYMENT_KEY];
}

export async function writeNamespaceMark(connection: Connection, namespace: string, id: string): Promise<void> {
  // The server merges what is given into what is there.
  await connection.workflowService.updateNamespace({
    namespace,
    updateInfo: { data: { [NAMESPACE_DEPLOYMENT_KEY]: id } },
  });
}

function inWords(ms: number): string {
  const hours = ms / 3_600_000;
  return hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`;
}
