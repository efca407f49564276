import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../local/ports.ts';
import { waitFor } from './wait.ts';

export interface ApiProcess {
  url: string;
  /** Resolves with the signal that ended it, or its exit code. */
  gone: Promise<string>;
  end(signal: NodeJS.Signals): Promise<string>;
  log(): string;
}

const SCRIPT = fileURLToPath(new URL('./api-role-process.ts', import.meta.url));

/** The api role in a process of its own, listening; it may kill itself `before` or `after` a statement to the database. */
export async function spawnApi(environment: Record<string, string>, killAt?: string): Promise<ApiProcess> {
  const [port = 0] = await freePorts(1);
  const kill = killAt === undefined ? {} : { OMS_TEST_KILL_AT: killAt };
  const env = { PATH: process.env.PATH, ...environment, OMS_API_PORT: String(port), LOG_LEVEL: 'info', ...kill };
  const child = spawn(process.execPath, [SCRIPT], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const gone = once(child, 'exit').then(() => child.signalCode ?? String(child.exitCode));
  const end = (signal: NodeJS.Signals): Promise<string> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return gone;
  };
  await waitFor('the api to listen', () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the api ended:\n${log}`);
    return log.includes('api listening');
  });
  return { url: `http://127.0.0.1:${port}`, gone, end, log: () => log };
}
