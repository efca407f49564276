import './end-with-parent.ts';
import { startApiRole } from '../../api/main.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { runProcess } from '../../platform/role.ts';
import { startUnguarded } from '../../resources/run-role.ts';
import { dieAtStatement } from './dying.ts';

/** The api role as a process of its own, which may kill itself. Settings come by environment. */
dieAtStatement();
const config = loadConfig();
process.exitCode = await runProcess({
  name: 'api',
  config,
  port: 0,
  start: (context) => startUnguarded('api', startApiRole, context),
});
