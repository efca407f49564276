import './end-with-parent.ts';
import { startPublisherRole } from '../../outbox/main.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { runProcess } from '../../platform/role.ts';
import { startUnguarded } from '../../resources/run-role.ts';
import { dieAtStatement } from './dying.ts';

/** The publisher role as a process of its own, so that a test can kill it. Settings come by environment. */
dieAtStatement();
const config = loadConfig();
process.exitCode = await runProcess({
  name: 'publisher',
  config,
  port: 0,
  start: (context) => startUnguarded('publisher', startPublisherRole, context),
});
