import { spawn } from 'node:child_process';
import path from 'node:path';
import { freePorts } from '../../local/ports.ts';
import { waitFor } from './wait.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** `oms api` as a process of its own. */
export interface ApiProcess {
  url: string;
  healthUrl: string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** Starts `oms api` with these settings, on free ports, and waits until it is ready. */
export async function startApiProcess(settings: Record<string, string>): Promise<ApiProcess> {
  const [port, healthPort] = await freePorts(2);
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(OMS_|KAFKA_|TEMPORAL_|SCHEMA_|DATABASE_URL)/.test(name),
  );
  const ports = { OMS_API_PORT: String(port), OMS_API_HEALTH_PORT: String(healthPort) };
  const env = { ...Object.fromEntries(inherited), ...settings, ...ports };
  const child = spawn(process.execPath, [path.join(ROOT, 'cli', 'oms.js'), 'api'], { env, cwd: ROOT, stdio: 'pipe' });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  await waitFor('the api to be ready', async () => {
    if (child.exitCode !== null) throw new Error(`the api ended with ${child.exitCode}:\n${log}`);
    return (await fetch(`${healthUrl}/readyz`).catch(() => undefined))?.ok;
  });
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    healthUrl,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  };
}
