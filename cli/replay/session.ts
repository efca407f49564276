import { databaseError } from '../../database/database.ts';
import { cliConfig } from '../../local/settings.ts';
import { replayParts } from '../../operations/replay/parts.ts';
import type { ReplayParts } from '../../operations/replay/parts.ts';
import { keepGarbageSmall } from '../../platform/node-flags.ts';
import { createShutdown } from '../../platform/shutdown.ts';
import { checkDeployment } from '../../resources/deployment.ts';
import { commandLogger, replayResources } from '../../resources/profiles.ts';

/** Opens what a replay works with; `signal` is aborted by Ctrl-C or SIGTERM. */
export async function withReplaySession<T>(work: (parts: ReplayParts, signal: AbortSignal) => Promise<T>): Promise<T> {
  keepGarbageSmall();
  const config = await cliConfig();
  // As roles do: a database that is not these topics' would take their old orders for new ones.
  await checkDeployment(config);
  const stopping = new AbortController();
  const shutdown = createShutdown({ logger: commandLogger(config), graceMs: config.OMS_SHUTDOWN_GRACE });
  void shutdown.requested.then((reason) => stopping.abort(new Error(`stopped by ${reason}`)));
  await using resources = replayResources(config);
  const parts = await replayParts(resources);
  try {
    return await work(parts, stopping.signal);
  } catch (error) {
    throw databaseError(error);
  }
}
