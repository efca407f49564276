import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { topicNames, topicSchemas } from '../../kafka/topics.ts';
import type { TopicKind, TopicNames } from '../../kafka/topics.ts';
import { freePorts } from '../../local/ports.ts';
import { readTopics } from '../../operations/topics/tail.ts';
import type { TopicRecord } from '../../operations/topics/tail.ts';
import { loadConfig } from '../../platform/config/load.ts';
import type { Config } from '../../platform/config/settings.ts';
import { createTestDatabase } from './database.ts';
import type { WholeDatabase } from './database.ts';
import { runSetup } from './operations.ts';
import { silent } from './order-world.ts';
import { testEnvironment } from './stack.ts';
import { waitFor } from './wait.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const ENTRY = path.join(ROOT, 'cli', 'oms.js');

export type RoleName = 'ingest' | 'worker' | 'publisher' | 'api';
/** Those that carry orders through. */
export const ROLES: readonly RoleName[] = ['publisher', 'worker', 'ingest'];

/** A role as a process of its own. */
export interface RoleProcess {
  /** Resolves with the exit code when it has ended. */
  gone: Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** What it has logged so far. */
  log(): string;
}

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A deployment of a test's own: prefix, namespace and database on the stack under test, all set up. */
export interface Deployment {
  config: Config;
  environment: Record<string, string>;
  topics: TopicNames;
  codec: Codec;
  db: WholeDatabase;
  temporal: Connection;
  /** Runs `oms …` as a process. */
  oms(
    words: readonly string[],
    options?: { input?: string; environment?: Record<string, string> },
  ): Promise<CommandResult>;
  /** Starts `oms <role>` and waits until it is ready. */
  start(role: RoleName, settings?: Record<string, string>): Promise<RoleProcess>;
  /** Every record of a topic, in offset order per partition. */
  records(kind: TopicKind): Promise<TopicRecord[]>;
  /** Records of the group `oms-ingest` that are not committed yet. */
  lag(): Promise<number>;
  /** Lets the group `oms-ingest` begin anew at the first record; no member of it may run. */
  rereadOrders(): Promise<void>;
  /** Consumer groups of the deployment. */
  groups(): Promise<string[]>;
  drop(): Promise<void>;
}

export async function createDeployment(settings: Record<string, string> = {}): Promise<Deployment> {
  const { db, url, drop } = await createTestDatabase();
  const id = randomUUID().slice(0, 8);
  const [apiPort, apiHealthPort, ...ports] = await freePorts(2 + ROLES.length);
  const environment: Record<string, string> = {
    ...testEnvironment(),
    DATABASE_URL: url,
    OMS_PREFIX: `t${id}.`,
    TEMPORAL_NAMESPACE: `test-${id}`,
    OMS_STATE_DIR: path.join(ROOT, '.oms', `none-${id}`),
    ...{ OMS_API_PORT: String(apiPort), OMS_API_HEALTH_PORT: String(apiHealthPort) },
    ...Object.fromEntries(ROLES.map((role, i) => [portSetting(role), String(ports[i])])),
    ...settings,
  };
  const config = loadConfig(environment);
  await runSetup(config);
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'test', logger: silent, retries: 5 });
  const admin = kafka.admin();
  await admin.connect();
  const temporal = await Connection.connect({ address: config.TEMPORAL_ADDRESS });
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const running = new Set<RoleProcess>();
  const topics = topicNames(config.OMS_PREFIX);
  return {
    config,
    environment,
    topics,
    codec: createCodec({ registry, schemas: topicSchemas(config.OMS_PREFIX) }),
    db,
    temporal,
    oms: (words, options = {}) => runCommand(words, { ...environment, ...options.environment }, options.input),
    start: async (role, more = {}) => {
      const started = await startRole(role, { ...environment, ...more });
      running.add(started);
      return started;
    },
    records: async (kind) => {
      const all: TopicRecord[] = [];
      const onRecords = (records: readonly TopicRecord[]): Promise<boolean> =>
        Promise.resolve(all.push(...records) > 0);
      const groupId = `${config.OMS_PREFIX}reader-${randomUUID()}`;
      await readTopics({
        kafka,
        admin,
        topics: [topics[kind]],
        groupId,
        fromBeginning: true,
        follow: false,
        onRecords,
      });
      return all;
    },
    lag: async () => {
      const ends = await logEnds(admin, topics.orders);
      const groupId = `${config.OMS_PREFIX}oms-ingest`;
      const [committed] = await admin.fetchOffsets({ groupId, topics: [topics.orders] });
      const done = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      return ends.reduce((sum, { partition, high }) => sum + Number(high) - Math.max(0, done.get(partition) ?? 0), 0);
    },
    rereadOrders: async () => {
      const groupId = `${config.OMS_PREFIX}oms-ingest`;
      await waitFor('the group to be empty', () =>
        admin.resetOffsets({ groupId, topic: topics.orders, earliest: true }).then(
          () => true,
          () => false,
        ),
      );
    },
    groups: async () => {
      const { groups } = await admin.listGroups();
      return groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(config.OMS_PREFIX));
    },
    drop: async () => {
      await Promise.all([...running].map((role) => role.kill()));
      const ours = (await admin.listTopics()).filter((topic) => topic.startsWith(config.OMS_PREFIX));
      await admin.deleteTopics({ topics: ours });
      await Promise.all([admin.disconnect(), temporal.close(), drop()]);
    },
  };
}

const portSetting = (role: RoleName): string =>
  role === 'api' ? 'OMS_API_HEALTH_PORT' : `OMS_${role.toUpperCase()}_PORT`;

/** Starts `oms …` as a process, with these settings and no others. */
function launch(words: readonly string[], environment: Record<string, string>): ChildProcess {
  // Only what the test gives: settings of the shell it runs in must not reach the command.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(OMS_|KAFKA_|TEMPORAL_|SCHEMA_|DATABASE_URL)/.test(name),
  );
  return spawn(process.execPath, [ENTRY, ...words], {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Runs `oms …` as a process, with these settings and no others. */
export async function runCommand(
  words: readonly string[],
  environment: Record<string, string>,
  input = '',
): Promise<CommandResult> {
  const child = launch(words, environment);
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error('no pipes');
  stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, errors, code] = await Promise.all([text(stdout), text(stderr), ended]);
  return { code, stdout: out, stderr: errors };
}

/** Ends what hangs, on a machine that starts many processes at once. */
const READY_DEADLINE_MS = 3 * 60_000;

async function startRole(role: RoleName, environment: Record<string, string>): Promise<RoleProcess> {
  const child = launch([role], environment);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = `http://127.0.0.1:${environment[portSetting(role)]}/readyz`;
  const isReady = async (): Promise<boolean | undefined> => {
    if (child.exitCode !== null) throw new Error(`${role} ended with ${child.exitCode}:\n${log}`);
    return (await fetch(url).catch(() => undefined))?.ok;
  };
  await waitFor(`${role} to be ready`, isReady, READY_DEADLINE_MS).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  return { gone: ended, kill: async () => void (await end('SIGKILL')), stop: () => end('SIGTERM'), log: () => log };
}
