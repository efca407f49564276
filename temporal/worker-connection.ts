import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { OmsError } from '../domain/errors.ts';
import type { Config } from '../platform/config/settings.ts';

/**
 * The worker's connection. Where to is our configuration's; TLS and API key come from Temporal's own settings.
 * @throws OmsError OMS_TEMPORAL_UNAVAILABLE
 */
export async function connectTemporal(config: Config): Promise<NativeConnection> {
  const { connectionOptions } = loadClientConnectConfig();
  return reach(NativeConnection.connect({ ...connectionOptions, address: config.TEMPORAL_ADDRESS }));
}

/** @throws OmsError OMS_TEMPORAL_UNAVAILABLE, also when the namespace does not exist */
export async function checkNamespace(connection: NativeConnection, namespace: string): Promise<void> {
  await reach(connection.withDeadline(Date.now() + DEADLINE_MS, () => describe(connection, namespace)));
}

const DEADLINE_MS = 3_000;

const describe = (connection: NativeConnection, namespace: string): Promise<unknown> =>
  connection.workflowService.describeNamespace({ namespace });

async function reach<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new OmsError('OMS_TEMPORAL_UNAVAILABLE', `Temporal: ${message}`, { cause: error });
  }
}
