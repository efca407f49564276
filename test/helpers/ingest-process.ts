import { startIngestRole } from '../../ingest/main.ts';
import type { IngestStep } from '../../orders/intake/step.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { runProcess } from '../../platform/role.ts';
import { startUnguarded } from '../../resources/run-role.ts';
import type { StartRole } from '../../resources/run-role.ts';
import './end-with-parent.ts';

/**
 * The ingest role as a process of its own. OMS_TEST_KILL_AT=<step>:<n> makes it end itself with SIGKILL at the n-th
 * time it comes to the end of that step: no handler runs, nothing is flushed.
 */
/** The least a broker allows: a killed ingest is replaced so long after. */
const SHORTEST_SESSION_MS = 6_000;

const config = loadConfig();
const [killAt, times = '1'] = (process.env.OMS_TEST_KILL_AT ?? '').split(':');
let left = Number(times);
const onStep = (step: IngestStep): void => {
  if (step === killAt && --left === 0) process.kill(process.pid, 'SIGKILL');
};
const start: StartRole = (context, resources) =>
  startIngestRole(context, resources, { onStep, sessionTimeoutMs: SHORTEST_SESSION_MS });
process.exitCode = await runProcess({
  name: 'ingest',
  config,
  port: config.OMS_INGEST_PORT,
  start: (context) => startUnguarded('ingest', start, context),
});
