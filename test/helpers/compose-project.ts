import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../../local/ports.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const PORTS = [
  ...['OMS_KAFKA_PORT', 'OMS_REGISTRY_PORT', 'OMS_TEMPORAL_PORT', 'OMS_TEMPORAL_UI_PORT', 'OMS_POSTGRES_PORT'],
  ...['OMS_INGEST_PORT', 'OMS_WORKER_PORT', 'OMS_PUBLISHER_PORT', 'OMS_API_PORT', 'OMS_API_HEALTH_PORT'],
];

/** What `docker compose ps` and `docker inspect` tell of a container. */
export interface ContainerState {
  id: string;
  running: boolean;
  /** Undefined for one without a health check. */
  health?: string;
  exitCode: number;
  /** As the engine's machine counts them; 0 = it does not run. */
  pid: number;
}

/** docker-compose.yml as a project of a test's own: its name, ports, settings and image. */
export interface ComposeProject {
  /** OMS_IMAGE, which somebody has built, or one that the test builds. */
  image: string;
  /** The published port of a setting such as OMS_API_PORT. */
  port(setting: string): number;
  /** Settings that point `oms` on this machine at the project. */
  environment: Record<string, string>;
  /** `docker compose …`; resolves with what it printed. @throws Error with its error output */
  compose(...words: string[]): Promise<string>;
  docker(...words: string[]): Promise<string>;
  /** `oms …` on this machine, against the published ports. */
  oms(words: readonly string[], input?: string): Promise<string>;
  state(service: string): Promise<ContainerState>;
  /** SIGKILL from outside, which the engine takes for a crash: `docker kill` it would take for our wish to stop. */
  kill(service: string): Promise<void>;
  /** Containers, volumes and networks of the project, stopped ones too. */
  remains(): Promise<string[]>;
  /** Removes all that is left of it. */
  remove(): Promise<void>;
}

/** @param settings of the roles, in force in their containers */
export async function createComposeProject(settings: Record<string, string> = {}): Promise<ComposeProject> {
  const name = `oms-test-${randomUUID().slice(0, 8)}`;
  const image = process.env.OMS_IMAGE ?? 'oms:test';
  const free = await freePorts(PORTS.length);
  const ports = Object.fromEntries(PORTS.map((setting, i) => [setting, free[i] ?? 0]));
  const directory = await mkdtemp(path.join(tmpdir(), 'oms-compose-'));
  const envFile = path.join(directory, 'env');
  const given = { COMPOSE_PROJECT_NAME: name, OMS_IMAGE: image, ENV_FILE: envFile, ...ports, ...settings };
  await writeFile(
    envFile,
    Object.entries(given)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const docker = (...words: string[]): Promise<string> => run('docker', words);
  const compose = (...words: string[]): Promise<string> =>
    docker('compose', '--env-file', envFile, '--profile', 'demo', ...words);
  const port = (setting: string): number => ports[setting] ?? 0;
  const environment = {
    KAFKA_BROKERS: `127.0.0.1:${port('OMS_KAFKA_PORT')}`,
    SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port('OMS_REGISTRY_PORT')}/apis/ccompat/v7`,
    TEMPORAL_ADDRESS: `127.0.0.1:${port('OMS_TEMPORAL_PORT')}`,
    DATABASE_URL: `postgres://oms:oms@127.0.0.1:${port('OMS_POSTGRES_PORT')}/oms`,
    OMS_STATE_DIR: path.join(directory, 'state'),
  };
  const state = async (service: string): Promise<ContainerState> => {
    const id = (await compose('ps', '--all', '--quiet', service)).trim();
    const [found] = JSON.parse(await docker('inspect', id)) as [{ State: EngineState }];
    const { Running: running, ExitCode: exitCode, Pid: pid, Health: health } = found.State;
    return { id, running, exitCode, pid, health: health?.Status };
  };
  const remains = async (): Promise<string[]> => {
    const label = ['--quiet', '--filter', `label=com.docker.compose.project=${name}`];
    const kinds = [
      docker('ps', '--all', ...label),
      docker('volume', 'ls', ...label),
      docker('network', 'ls', ...label),
    ];
    return (await Promise.all(kinds)).flatMap((text) => text.split('\n').filter((line) => line !== ''));
  };
  return {
    image,
    port,
    environment,
    compose,
    docker,
    oms: (words, input) => run(process.execPath, [path.join(ROOT, 'cli', 'oms.js'), ...words], environment, input),
    state,
    kill: async (service) => {
      const { pid } = await state(service);
      const asRoot = ['--rm', '--pid', 'host', '--user', '0', '--entrypoint', 'node'];
      await docker('run', ...asRoot, image, '-e', `process.kill(${pid}, 'SIGKILL')`);
    },
    remains,
    remove: async () => {
      await compose('down', '--volumes', '--timeout', '30');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface EngineState {
  Running: boolean;
  ExitCode: number;
  Pid: number;
  Health?: { Status: string };
}

/** Only what is given: settings of the shell the tests run in must not reach what is run. */
function run(file: string, words: readonly string[], more: Record<string, string> = {}, input = ''): Promise<string> {
  const ours = /^(OMS_|KAFKA_|TEMPORAL_|SCHEMA_|DATABASE_URL|POSTGRES_|COMPOSE_|PUBLISH)/;
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const env = { ...Object.fromEntries(inherited), ...more };
  return new Promise((resolve, reject) => {
    const child = execFile(file, words, { cwd: ROOT, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${path.basename(file)} ${words.join(' ')}:\n${stderr}${stdout}`, { cause: error }));
      else resolve(stdout);
    });
    // A command that reads no input may be gone before it is offered.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
