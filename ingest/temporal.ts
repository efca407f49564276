import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Config } from '../platform/config/settings.ts';
import { temporalError } from './order-workflows.ts';

export interface Temporal {
  client: Client;
  /** @throws OmsError OMS_TEMPORAL_UNAVAILABLE, also when the namespace does not exist */
  check(): Promise<void>;
  close(): Promise<void>;
}

const CHECK_DEADLINE_MS = 3_000;

/** A client that connects when it is first used. TLS and API key come from Temporal's own settings (envconfig). */
export function openTemporal(config: Config): Temporal {
  const { connectionOptions } = loadClientConnectConfig();
  const connection = Connection.lazy({ ...connectionOptions, address: config.TEMPORAL_ADDRESS });
  const namespace = config.TEMPORAL_NAMESPACE;
  const client = new Client({ connection, namespace });
  return {
    client,
    check: async () => {
      try {
        await connection.withDeadline(Date.now() + CHECK_DEADLINE_MS, () =>
          connection.workflowService.describeNamespace({ namespace }),
        );
      } catch (error) {
        throw temporalError(error);
      }
    },
    close: () => connection.close(),
  };
}
