import { freePorts } from '../../local/ports.ts';
import { spawnScript } from './spawned.ts';
import type { Spawned } from './spawned.ts';
import { waitFor } from './wait.ts';

export interface ApiProcess extends Spawned {
  url: string;
}

/** The api role in a process of its own, listening; it may kill itself `before` or `after` a statement to the database. */
export async function spawnApi(environment: Record<string, string>, killAt?: string): Promise<ApiProcess> {
  const [port = 0] = await freePorts(1);
  const kill = killAt === undefined ? {} : { OMS_TEST_KILL_AT: killAt };
  const settings = { ...environment, OMS_API_PORT: String(port), LOG_LEVEL: 'info', ...kill };
  const spawned = spawnScript('api-role-process.ts', settings);
  await waitFor('the api to listen', () => {
    if (spawned.isGone()) throw new Error(`the api ended:\n${spawned.log()}`);
    return spawned.log().includes('api listening');
  });
  return { ...spawned, url: `http://127.0.0.1:${port}` };
}
