import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from '../../local/ports.ts';
import type { BaseUrls } from './recorder.ts';

export interface WebClient {
  url: string;
  /** What its server said of errors; SvelteKit answers them with a page and tells only its log why. */
  complaints: string[];
  stop(): Promise<void>;
}

const START_MS = 15_000;

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** The folder adapter-node wrote: the one given, or `build` in it. */
async function builtIn(folder: string): Promise<string> {
  for (const candidate of [folder, path.join(folder, 'build')])
    if (await isThere(path.join(candidate, 'handler.js'))) return path.resolve(candidate);
  throw new Error(`--client ${folder} holds no built client: neither it nor its build/ has a handler.js`);
}

/**
 * Starts the built client on a free port of the loopback, with nothing set but where the API is.
 * @throws Error when the folder holds no built client, or it does not listen within 15 s
 */
export async function startWebClient(folder: string, api: BaseUrls): Promise<WebClient> {
  const built = await builtIn(folder);
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const env = {
    PATH: process.env.PATH,
    ORIGIN: url,
    PORT: String(port),
    HOST: '127.0.0.1',
    ORDER_API_URL: api.order,
    SHIPMENT_API_URL: api.shipment,
    BILLING_API_URL: api.billing,
    FRAUD_API_URL: api.fraud,
  };
  const child = spawn(process.execPath, [built], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  // However the walk ends, its client does not stay behind.
  process.once('exit', () => child.kill('SIGKILL'));
  const complaints: string[] = [];
  createInterface(child.stderr).on('line', (line) => complaints.push(line));
  const listening = (async () => {
    for await (const line of createInterface(child.stdout)) if (line.includes('Listening')) return true;
    return false;
  })();
  const late = AbortSignal.timeout(START_MS);
  const inTime = await Promise.race([listening, once(late, 'abort').then(() => false)]);
  child.stdout.resume();
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    // Its graceful end waits for connections that browsers keep; nothing is lost by not waiting.
    const forced = setTimeout(() => child.kill('SIGKILL'), 2_000);
    await ended;
    clearTimeout(forced);
  };
  if (inTime) return { url, complaints, stop };
  await stop();
  throw new Error(`the client did not listen on ${url}: ${complaints.join(' ')}`);
}
