import { replayParts } from '../../operations/replay/parts.ts';
import { runReplay } from '../../operations/replay/run.ts';
import type { IngestStep } from '../../orders/intake/step.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createLogger } from '../../platform/logger.ts';
import { replayResources } from '../../resources/profiles.ts';
import './end-with-parent.ts';

/**
 * A replay's run as a process of its own. OMS_TEST_KILL_AT=<step>:<n> makes it end itself with SIGKILL at the n-th time it
 * comes to the end of that step of ingest's gate.
 */
const config = loadConfig();
const [killAt, times = '1'] = (process.env.OMS_TEST_KILL_AT ?? '').split(':');
let left = Number(times);
const onStep = (step: IngestStep): void => {
  if (step === killAt && --left === 0) process.kill(process.pid, 'SIGKILL');
};
const logger = createLogger({ role: 'replay', level: 'warn' });
await using resources = replayResources(config, { logger, kafka: { retries: 5 } });
await runReplay(await replayParts(resources), {
  ...{ replayId: process.env.OMS_TEST_REPLAY ?? '', by: 'tester', onStep },
  onProgress: () => undefined,
  onWait: () => undefined,
  signal: new AbortController().signal,
});
