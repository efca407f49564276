import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePorts } from './ports.ts';
import { exists, requireJava, runTold } from './tools.ts';
import type { JavaParts } from './downloads.ts';
import type { Command, Component } from './types.ts';

const LOGGING = path.join(import.meta.dirname, 'log4j2.properties');
const A_YEAR_IN_MINUTES = 365 * 24 * 60;

export interface KafkaOptions {
  dir: string;
  port: number;
  parts: (report: (detail: string) => void) => Promise<JavaParts>;
}

/** One broker that is its own controller. Topics are made by `oms setup` only. */
function serverProperties(dir: string, port: number, controllerPort: number): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': path.join(dir, 'data'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    // Few partitions of the internal topics: a coordinator loads each of them at start.
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    // A stack left off for weeks must still know what its groups have read.
    'offsets.retention.minutes': A_YEAR_IN_MINUTES,
    'log.cleaner.dedupe.buffer.size': 32 * 1024 * 1024,
    'num.recovery.threads.per.data.dir': 2,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** A cluster id in Kafka's form: 16 bytes in URL-safe base64, which must not start with a dash. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

async function format(options: KafkaOptions, classPath: string, signal?: AbortSignal): Promise<void> {
  const config = path.join(options.dir, 'server.properties');
  const tool = ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', config];
  try {
    await runTold({ file: 'java', args: ['-XX:TieredStopAtLevel=1', ...tool], signal }, () => undefined);
  } catch (error) {
    // Half a format would be taken for a whole one at the next start.
    await rm(path.join(options.dir, 'data'), { recursive: true, force: true });
    throw error;
  }
}

async function prepare(
  options: KafkaOptions,
  report: (detail: string) => void,
  signal?: AbortSignal,
): Promise<Command> {
  await requireJava();
  const { kafkaClassPath } = await options.parts(report);
  const [controllerPort = 0] = await freePorts(1);
  await mkdir(options.dir, { recursive: true });
  const config = path.join(options.dir, 'server.properties');
  await writeFile(config, serverProperties(options.dir, options.port, controllerPort));
  if (!(await exists(path.join(options.dir, 'data', 'meta.properties')))) {
    report('formatting its storage');
    await format(options, kafkaClassPath, signal);
  }
  // Without the optimising compiler a start costs 3.3 instead of 5.4 s of CPU, and the first 100,000 records half as much.
  const machine = ['-Xms128m', '-Xmx768m', '-XX:TieredStopAtLevel=1'];
  const logging = `-Dlog4j2.configurationFile=file:${LOGGING}`;
  return {
    file: 'java',
    args: [...machine, logging, '-cp', kafkaClassPath, 'kafka.Kafka', config],
    directory: options.dir,
  };
}

/** Connects as any client does and asks for the cluster's id; a broker that answers has a controller. */
async function probe(port: number): Promise<string> {
  const { Kafka, logLevel } = await import('kafkajs');
  const client = new Kafka({
    clientId: 'oms-local',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  });
  const admin = client.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length === 0) throw new Error('the broker is not registered yet');
    return cluster.clusterId;
  } finally {
    await admin.disconnect();
  }
}

/** Kafka: KRaft, one node, logs under `dir`/data. */
export function createKafka(options: KafkaOptions): Component {
  return {
    name: 'kafka',
    ports: [{ port: options.port, setting: 'OMS_KAFKA_PORT' }],
    prepare: (report, signal) => prepare(options, report, signal),
    probe: () => probe(options.port),
    stopSignal: 'SIGTERM',
  };
}
