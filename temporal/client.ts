import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NAMESPACE_DEPLOYMENT_KEY } from '../domain/contract.ts';
import type { Config } from '../platform/config/settings.ts';
import { temporalError } from './order-workflows.ts';

export interface Temporal {
  client: Client;
  connection: Connection;
  /** @throws OmsError OMS_TEMPORAL_UNAVAILABLE, also when the namespace does not exist */
  check(): Promise<void>;
  /** How long closed workflows are remembered, ms. @throws OmsError OMS_TEMPORAL_UNAVAILABLE */
  retention(): Promise<number>;
  close(): Promise<void>;
}

const CHECK_DEADLINE_MS = 3_000;

/** A client that connects when it is first used. TLS and API key come from Temporal's own settings (envconfig). */
export function openTemporal(config: Config): Temporal {
  const { connectionOptions } = loadClientConnectConfig();
  return temporalOn(Connection.lazy({ ...connectionOptions, address: config.TEMPORAL_ADDRESS }), config);
}

/** A client that is connected. @throws what the connecting throws, after `connectTimeout` ms at the latest */
export async function reachTemporal(config: Config, connectTimeout: number): Promise<Temporal> {
  return temporalOn(await Connection.connect({ address: config.TEMPORAL_ADDRESS, connectTimeout }), config);
}

function temporalOn(connection: Connection, { TEMPORAL_NAMESPACE: namespace }: Config): Temporal {
  const client = new Client({ connection, namespace });
  const describe = async () => {
    try {
      return await connection.withDeadline(Date.now() + CHECK_DEADLINE_MS, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
    } catch (error) {
      throw temporalError(error);
    }
  };
  return {
    client,
    connection,
    check: async () => void (await describe()),
    retention: async () => {
      const { config: settings } = await describe();
      return Number(settings?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
    },
    close: () => connection.close(),
  };
}

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
