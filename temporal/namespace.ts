import type { Connection } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import { NAMESPACE_DEPLOYMENT_KEY } from '../domain/contract.ts';

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
