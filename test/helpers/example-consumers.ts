import { execFile, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Admin } from 'kafkajs';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { javaParts } from '../../local/downloads.ts';
import type { Deployment } from './deployment.ts';
import { waitFor } from './wait.ts';

const CONSUMERS = path.join(import.meta.dirname, '..', '..', 'examples', 'consumers');
const run = promisify(execFile);

/** How one of examples/consumers is started. */
export interface ConsumerCommand {
  file: string;
  args: string[];
  environment: Record<string, string>;
  /** Its consumer group, without prefix. */
  group: string;
}

export function typescriptConsumer(folder: string): ConsumerCommand {
  return {
    file: process.execPath,
    args: [path.join(CONSUMERS, 'typescript', 'shipments.ts')],
    environment: { CONSUMER_DB: path.join(folder, 'typescript.db') },
    group: 'example-typescript',
  };
}

export function pythonConsumer(interpreter: string, folder: string): ConsumerCommand {
  return {
    file: interpreter,
    args: [path.join(CONSUMERS, 'python', 'shipments.py')],
    environment: { CONSUMER_DB: path.join(folder, 'python.db') },
    group: 'example-python',
  };
}

/**
 * Compiled, and run on the jars of the local stack. Those have no deserializer for Avro; this consumer reads headers only,
 * so bytes do as well.
 */
export async function javaConsumer(folder: string, databaseUrl: string): Promise<ConsumerCommand> {
  const { kafkaClassPath, registryDir } = await javaParts(() => undefined);
  const jars = await readdir(path.join(registryDir, 'lib'));
  const driver = jars.find((jar) => /^org\.postgresql\.postgresql-.*\.jar$/.test(jar)) ?? '';
  const classPath = [folder, kafkaClassPath, path.join(registryDir, 'lib', driver)].join(path.delimiter);
  await run('javac', ['-cp', classPath, '-d', folder, path.join(CONSUMERS, 'java', 'Shipments.java')]);
  const { username, password, host, pathname } = new URL(databaseUrl);
  return {
    file: 'java',
    args: ['-XX:TieredStopAtLevel=1', '-cp', classPath, 'Shipments'],
    environment: {
      CONSUMER_JDBC_URL: `jdbc:postgresql://${host}${pathname}?user=${username}&password=${password}`,
      VALUE_DESERIALIZER: 'org.apache.kafka.common.serialization.ByteArrayDeserializer',
    },
    group: 'example-java',
  };
}

/** Runs a consumer until it has committed all of `shipments`, and ends it; resolves with the event ids it acted on. */
export async function consumeAll(deployment: Deployment, admin: Admin, command: ConsumerCommand): Promise<string[]> {
  const env = { ...process.env, ...deployment.environment, ...command.environment };
  const child = spawn(command.file, command.args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await waitFor(`${command.group} to have read all`, async () => {
      if (child.exitCode !== null) throw new Error(`${command.group} ended: ${errors}`);
      return isAtEnd(admin, deployment.config.OMS_PREFIX + command.group, deployment.topics.shipments);
    });
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  return [...out.matchAll(/[\w.-]+\/\d+\/Shipment\w+\/\d+/g)].map(([eventId]) => eventId);
}

async function isAtEnd(admin: Admin, groupId: string, topic: string): Promise<boolean> {
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const done = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  const ends = await logEnds(admin, topic);
  return ends.every(({ partition, high }) => Number(high) === 0 || (done.get(partition) ?? -1) >= Number(high));
}
