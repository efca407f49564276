import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Admin } from 'kafkajs';
import { createKafka } from '../../kafka/client/client.ts';
import { javaParts } from '../../local/downloads.ts';
import { createGuard } from '../../local/guard.ts';
import { freePorts } from '../../local/ports.ts';
import { silent } from './order-world.ts';
import { waitFor } from './wait.ts';

const run = promisify(execFile);
const CLUSTER_ID = 'dGhyZWUtYnJva2Vycy0wMQ';
const STARTUP_MS = 180_000;
export const NODES = [1, 2, 3] as const;
export type NodeId = (typeof NODES)[number];

/** Three real brokers, each a voter of the controllers' quorum too, as a small production cluster has them. */
export interface BrokerCluster {
  /** KAFKA_BROKERS */
  brokers: string;
  /** SIGKILL; resolves when the processes are gone, which the others learn only later. */
  kill(...nodes: NodeId[]): Promise<void>;
  /** Starts brokers again on what they hold. */
  start(...nodes: NodeId[]): Promise<void>;
  /** Waits until every replica of every partition is in sync. */
  whole(): Promise<void>;
  /** Waits until the brokers that are away lead nothing. */
  abandoned(...nodes: NodeId[]): Promise<void>;
  /** Who leads each partition of a topic, by partition; -1 is nobody. */
  leaders(topic: string): Promise<number[]>;
  /** The broker that keeps a group's members and offsets. */
  coordinator(groupId: string): Promise<NodeId>;
  /** Lets these brokers keep the partition, the first of them lead it, and waits until it does. */
  lead(topic: string, partition: number, nodes: readonly NodeId[]): Promise<void>;
  /** Ends all of it. */
  stop(): Promise<void>;
}

interface Node {
  id: NodeId;
  port: number;
  config: string;
}

/** Starts the cluster in directories and on ports of its own; it ends with the test's process, however that goes. */
export async function startBrokerCluster(): Promise<BrokerCluster> {
  const dir = await mkdtemp(path.join(tmpdir(), 'oms-brokers-'));
  const guard = createGuard(dir);
  const { kafkaClassPath } = await javaParts(() => undefined);
  const java = [...MACHINE, '-cp', kafkaClassPath];
  const nodes = await prepareNodes(dir);
  await Promise.all(nodes.map(({ config }) => format(java, config)));
  const running = new Map<NodeId, ChildProcess>();
  const start = (...ids: NodeId[]): void => {
    for (const { id, config } of nodes.filter((node) => ids.includes(node.id))) {
      const broker = spawn('java', [...java, 'kafka.Kafka', config], { stdio: 'ignore' });
      if (broker.pid !== undefined) guard.watch(broker.pid);
      running.set(id, broker);
    }
  };
  const kill = async (...ids: NodeId[]): Promise<void> => {
    await Promise.all(ids.map((id) => end(running.get(id))));
  };
  const addressOf = ({ port }: Node): string => `127.0.0.1:${port}`;
  const askBrokers = <T>(work: (admin: Admin) => Promise<T>): Promise<T | undefined> =>
    ask(nodes.filter(({ id }) => isRunning(running.get(id))).map(addressOf), work);
  const cluster: BrokerCluster = {
    brokers: nodes.map(addressOf).join(','),
    kill,
    start: async (...ids) => {
      start(...ids);
      await waitFor(
        `brokers ${ids.join(', ')} to be there`,
        () => askBrokers(async (admin) => hasAll(admin, ids)),
        STARTUP_MS,
      );
    },
    whole: async () => {
      await waitFor('all replicas to be in sync', () => askBrokers(isWhole), STARTUP_MS);
    },
    abandoned: async (...ids) => {
      await waitFor(
        `${ids.join(', ')} to lead nothing`,
        () => askBrokers((admin) => leadNothing(admin, ids)),
        STARTUP_MS,
      );
    },
    leaders: (topic) => waitFor('the leaders', () => askBrokers((admin) => leadersOf(admin, topic))),
    coordinator: async (groupId) => {
      const leaders = await cluster.leaders('__consumer_offsets');
      return leaders[Math.abs(javaHash(groupId)) % leaders.length] as NodeId;
    },
    lead: async (topic, partition, replicas) => {
      await waitFor('the move to be taken', () => askBrokers((admin) => reassign(admin, topic, partition, replicas)));
      const leads = async (): Promise<boolean> => (await cluster.leaders(topic))[partition] === replicas[0];
      await waitFor(`${replicas[0]} to lead ${topic} ${partition}`, leads);
    },
    stop: async () => {
      await kill(...NODES);
      await rm(dir, { recursive: true, force: true });
      guard.dismiss();
    },
  };
  await cluster.start(...NODES).catch(async (error: unknown) => {
    await cluster.stop();
    throw error;
  });
  return cluster;
}

const MACHINE = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=OFF'];

async function prepareNodes(dir: string): Promise<Node[]> {
  const ports = await freePorts(2 * NODES.length);
  const controllers = NODES.map((id, i) => `${id}@127.0.0.1:${ports[NODES.length + i]}`).join(',');
  return Promise.all(
    NODES.map(async (id, i) => {
      const [port = 0, controllerPort = 0] = [ports[i], ports[NODES.length + i]];
      const home = path.join(dir, String(id));
      await mkdir(home);
      const config = path.join(home, 'server.properties');
      const settings = { ...COMMON, ...settingsOf(id, port, controllerPort), 'controller.quorum.voters': controllers };
      const lines = Object.entries({ ...settings, 'log.dirs': path.join(home, 'data') });
      await writeFile(config, lines.map(([name, value]) => `${name}=${value}\n`).join(''));
      return { id, port, config };
    }),
  );
}

const COMMON = {
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'auto.create.topics.enable': false,
  // Kafka's own is 9 s; a shorter one makes a test shorter.
  'broker.session.timeout.ms': 6_000,
  'default.replication.factor': 3,
  'offsets.topic.replication.factor': 3,
  'transaction.state.log.replication.factor': 3,
  'transaction.state.log.min.isr': 2,
  // Few partitions of the internal topics: each has to find a leader again.
  'offsets.topic.num.partitions': 6,
  'transaction.state.log.num.partitions': 3,
  'group.initial.rebalance.delay.ms': 0,
  'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
};

const settingsOf = (id: NodeId, port: number, controllerPort: number): Record<string, string | number> => ({
  'node.id': id,
  listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
  'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
});

async function format(java: readonly string[], config: string): Promise<void> {
  await run('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', config]);
}

const isRunning = (broker: ChildProcess | undefined): boolean =>
  broker !== undefined && broker.exitCode === null && broker.signalCode === null;

async function end(broker: ChildProcess | undefined): Promise<void> {
  if (!broker || !isRunning(broker)) return;
  const ended = new Promise((resolve) => broker.once('close', resolve));
  broker.kill('SIGKILL');
  await ended;
}

/** With a client of its own each time, which knows nothing yet; undefined when it was not answered. */
async function ask<T>(brokers: string[], work: (admin: Admin) => Promise<T>): Promise<T | undefined> {
  const admin = createKafka({ brokers, clientId: 'test', logger: silent, retries: 0 }).admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch {
    return undefined;
  } finally {
    await admin.disconnect();
  }
}

async function hasAll(admin: Admin, ids: readonly NodeId[]): Promise<boolean> {
  const { brokers } = await admin.describeCluster();
  return ids.every((id) => brokers.some(({ nodeId }) => nodeId === id));
}

async function isWhole(admin: Admin): Promise<boolean> {
  const { topics } = await admin.fetchTopicMetadata();
  const partitions = topics.flatMap((topic) => topic.partitions);
  return partitions.every(({ replicas, isr, leader }) => leader >= 0 && replicas.length === isr.length);
}

async function leadNothing(admin: Admin, ids: readonly number[]): Promise<boolean> {
  const { topics } = await admin.fetchTopicMetadata();
  return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0 && !ids.includes(leader)));
}

async function leadersOf(admin: Admin, topic: string): Promise<number[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics[0]?.partitions ?? [];
  return partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader);
}

async function reassign(admin: Admin, topic: string, partition: number, replicas: readonly number[]): Promise<true> {
  await admin.alterPartitionReassignments({
    topics: [{ topic, partitionAssignment: [{ partition, replicas: [...replicas] }] }],
  });
  return true;
}

/** Kafka chooses a group's place among the offsets by it. */
const javaHash = (text: string): number =>
  [...text].reduce((hash, letter) => (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0, 0);
