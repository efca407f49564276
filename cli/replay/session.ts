import { databaseError } from '../../database/database.ts';
import { cliConfig } from '../../local/settings.ts';
import { withReplayParts } from '../../operations/replay/parts.ts';
import type { ReplayParts } from '../../operations/replay/parts.ts';
import type { Config } from '../../platform/config/settings.ts';
import { keepGarbageSmall } from '../../platform/node-flags.ts';
import { createShutdown } from '../../platform/shutdown.ts';
import { commandKafka, commandLogger, kafkaError } from '../../resources/clients.ts';
import { checkDeployment } from '../../resources/deployment.ts';

/** Opens what a replay works with; `signal` is aborted by Ctrl-C or SIGTERM. */
export async function withReplaySession<T>(work: (parts: ReplayParts, signal: AbortSignal) => Promise<T>): Promise<T> {
  keepGarbageSmall();
  const config = await cliConfig();
  // As roles do: a database that is not these topics' would take their old orders for new ones.
  await checkDeployment(config);
  const stopping = new AbortController();
  const shutdown = createShutdown({ logger: commandLogger(config), graceMs: config.OMS_SHUTDOWN_GRACE });
  void shutdown.requested.then((reason) => stopping.abort(new Error(`stopped by ${reason}`)));
  return withParts(config, (parts) => work(parts, stopping.signal));
}

async function withParts<T>(config: Config, work: (parts: ReplayParts) => Promise<T>): Promise<T> {
  let opened = false;
  try {
    return await withReplayParts(config, commandKafka(config), async (parts) => {
      opened = true;
      return work(parts);
    });
  } catch (error) {
    throw opened ? databaseError(error) : kafkaError(config, error);
  }
}
