import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Endpoints } from '../../local/stack.ts';
import { endpointVariables } from '../../local/types.ts';
import { INGEST_NODE_FLAGS } from '../../platform/node-flags.ts';

const OMS = join(import.meta.dirname, '..', '..', 'cli', 'oms.js');
const HOW_LONG_MS = 300_000;

export type Environment = Record<string, string>;

/** A role as its own process, as in production. */
export interface Role {
  pid: number;
  /** Of its health and metrics. */
  url: string;
  stop(): Promise<void>;
}

/** A deployment of its own on the bench's stack: prefix, database, topics, subjects. */
export interface World {
  environment: Environment;
  prefix: string;
  sql: pg.Pool;
  startRole(name: 'ingest' | 'worker' | 'publisher' | 'api', extra?: Environment): Promise<Role>;
  close(): Promise<void>;
}

/** Polls until `probe` gives something, seldom enough to leave the machine to what is measured; a limit only ends what hangs. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false | null>,
  everyMs = 100,
): Promise<T> {
  const end = performance.now() + HOW_LONG_MS;
  while (performance.now() < end) {
    const found = await probe();
    if (found) return found;
    await delay(everyMs);
  }
  throw new Error(`waited too long for ${what}`);
}

/** Runs `oms …` to its end. @throws Error with what it printed, when it fails */
async function oms(words: readonly string[], environment: Environment): Promise<string> {
  const child = spawn(process.execPath, [OMS, ...words], { env: { ...process.env, ...environment }, stdio: 'pipe' });
  const printed: string[] = [];
  child.stdout.on('data', (data: Buffer) => printed.push(data.toString()));
  child.stderr.on('data', (data: Buffer) => printed.push(data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`oms ${words.join(' ')} ended with ${code}:\n${printed.join('')}`);
  return printed.join('');
}

/** Starts a role and waits until it says that it is ready. */
async function startRole(name: string, environment: Environment): Promise<Role> {
  const flags = name === 'ingest' ? INGEST_NODE_FLAGS : [];
  const child = spawn(process.execPath, [...flags, OMS, name], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  // A bench that is called off leaves nothing behind.
  process.once('exit', () => child.kill('SIGKILL'));
  const ready = Promise.withResolvers<string>();
  void closed.then(() => ready.reject(new Error(`oms ${name} ended before it was ready`)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
    if (msg === 'role ready' && url) ready.resolve(url);
  });
  const url = await ready.promise;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
  };
  return { pid: child.pid ?? 0, url, stop };
}

async function createDatabase(adminUrl: string, name: string): Promise<string> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

/** Sets a deployment up as an operator would: `oms setup` on a database of its own. */
export async function createWorld(endpoints: Endpoints, settings: Environment = {}): Promise<World> {
  const id = randomUUID().slice(0, 8);
  const prefix = `bench-${id}.`;
  const databaseUrl = await createDatabase(endpoints.databaseUrl, `bench_${id}`);
  const environment: Environment = {
    ...endpointVariables(endpoints),
    DATABASE_URL: databaseUrl,
    OMS_PREFIX: prefix,
    OMS_INGEST_PORT: '0',
    OMS_WORKER_PORT: '0',
    OMS_PUBLISHER_PORT: '0',
    ...settings,
  };
  await oms(['setup'], environment);
  const sql = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  // When a bench fails, its stack goes before its pool: the failure is what should be seen.
  sql.on('error', () => undefined);
  return {
    environment,
    prefix,
    sql,
    startRole: (name, extra = {}) => startRole(name, { ...environment, ...extra }),
    close: () => sql.end(),
  };
}
