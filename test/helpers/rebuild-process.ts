import { loadConfig } from '../../platform/config/load.ts';
import './end-with-parent.ts';
import { runRebuild } from './operations.ts';

/**
 * `oms rebuild` as a process of its own. OMS_TEST_KILL_AT is the step at whose beginning it ends itself with SIGKILL;
 * OMS_TEST_BACKUP is set when the database is a backup.
 */
const onStep = (step: string): void => {
  if (step === process.env.OMS_TEST_KILL_AT) process.kill(process.pid, 'SIGKILL');
};
const ontoBackup = process.env.OMS_TEST_BACKUP !== undefined;
await runRebuild(loadConfig(), { who: 'tester', why: 'killed', stateDir: undefined, ontoBackup, onStep });
