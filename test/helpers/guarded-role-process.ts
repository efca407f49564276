import './end-with-parent.ts';
import { startPublisherRole } from '../../outbox/main.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { runRole } from '../../resources/run-role.ts';

/** The publisher role as a process of its own, with the guards of a role's start and without the command line. */
const config = loadConfig();
const load = () => Promise.resolve(startPublisherRole);
process.exitCode = await runRole({ name: 'publisher', config, port: 0, load });
