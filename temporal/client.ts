import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Config } from '../platform/config/settings.ts';
import { temporalError } from './order-workflows.ts';

export interface Temporal {
  client: Client;
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
  const connection = Connection.lazy({ ...connectionOptions, address: config.TEMPORAL_ADDRESS });
  const namespace = config.TEMPORAL_NAMESPACE;
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
    check: async () => void (await describe()),
    retention: async () => {
      const { config: settings } = await describe();
      return Number(settings?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
    },
    close: () => connection.close(),
  };
}
