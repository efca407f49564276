import * as rebuild from '../../operations/rebuild/run-rebuild.ts';
import * as setup from '../../operations/setup/run-setup.ts';
import type { Config } from '../../platform/config/settings.ts';
import { commandResources } from '../../resources/profiles.ts';

/** What operators do, as their commands do it: on resources that are closed afterwards. */
export async function runSetup(
  config: Config,
  report?: Parameters<typeof setup.runSetup>[1],
  options?: setup.SetupOptions,
): Promise<setup.SetupResult> {
  await using resources = commandResources(config);
  return await setup.runSetup(resources, report, options);
}

export async function runRebuild(config: Config, options: rebuild.RebuildOptions): Promise<rebuild.RebuildResult> {
  await using resources = commandResources(config);
  return await rebuild.runRebuild(resources, options);
}
