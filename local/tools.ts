import { execFile, spawn } from 'node:child_process';
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { OmsError } from '../domain/errors.ts';

const run = promisify(execFile);
const OLDEST_JAVA = 17;
const GIB = 1024 ** 3;

/** Output of a short command, or undefined when it is not there or fails. */
async function output(file: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(file, args);
    return stdout + stderr;
  } catch {
    return undefined;
  }
}

/** @throws OmsError OMS_LOCAL_JAVA_MISSING unless `java` on the PATH is 17 or newer */
export async function requireJava(): Promise<void> {
  const told = await output('java', ['-version']);
  const version = Number(/version "(?:1\.)?(\d+)/.exec(told ?? '')?.[1] ?? 0);
  if (version >= OLDEST_JAVA) return;
  const found = told === undefined ? 'there is no `java` on the PATH' : `\`java\` on the PATH is version ${version}`;
  throw new OmsError(
    'OMS_LOCAL_JAVA_MISSING',
    `Kafka and the schema registry need Java 17 or newer, and ${found}. Install a JDK (e.g. Debian: openjdk-17-jre-headless), ` +
      'or set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to running ones.',
  );
}

/** @throws OmsError OMS_LOCAL_MAVEN_MISSING */
export async function requireMaven(): Promise<void> {
  if (await onPath('mvn')) return;
  throw new OmsError(
    'OMS_LOCAL_MAVEN_MISSING',
    'Kafka and the schema registry are fetched by Maven, and there is no `mvn` on the PATH. Install Maven 3.6 or newer ' +
      '(e.g. Debian: maven), or set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to running ones.',
  );
}

/** @throws OmsError OMS_LOCAL_GO_MISSING */
export async function requireGo(): Promise<void> {
  if (await onPath('go')) return;
  throw new OmsError(
    'OMS_LOCAL_GO_MISSING',
    'There is neither a `temporal` nor a `go` on the PATH. Install the Temporal CLI or Go 1.24 or newer (which builds it once), ' +
      'set OMS_TEMPORAL_BIN to a `temporal` binary, or set TEMPORAL_ADDRESS to a running server.',
  );
}

/** Whether a command can be found. */
export async function onPath(command: string): Promise<boolean> {
  return (await output('sh', ['-c', `command -v ${command}`])) !== undefined;
}

export async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Makes a directory and checks that it can hold what is to come.
 * @throws OmsError OMS_LOCAL_STATE_UNUSABLE, OMS_LOCAL_DISK_FULL
 */
export async function requireSpace(directory: string, gibibytes: number): Promise<void> {
  const free = await freeBytes(directory);
  if (free >= gibibytes * GIB) return;
  throw new OmsError(
    'OMS_LOCAL_DISK_FULL',
    `${directory} has ${(free / GIB).toFixed(1)} GiB free, and the local stack needs ${gibibytes} GiB. ` +
      'Free some space, or set OMS_STATE_DIR to a directory on a larger disk.',
  );
}

async function freeBytes(directory: string): Promise<number> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
    const disk = await statfs(directory);
    return disk.bavail * disk.bsize;
  } catch (error) {
    throw new OmsError(
      'OMS_LOCAL_STATE_UNUSABLE',
      `${path.resolve(directory)} cannot be written. Set OMS_STATE_DIR to a directory of yours.`,
      { cause: error },
    );
  }
}

/** Runs a long command, handing on each line it prints (progress that overwrites itself counts as lines). */
export async function runTold(
  command: { file: string; args: string[]; environment?: NodeJS.ProcessEnv; signal?: AbortSignal },
  onLine: (line: string) => void,
): Promise<void> {
  const child = spawn(command.file, command.args, {
    env: command.environment,
    signal: command.signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (last.push(line) > 20) last.shift();
      onLine(line);
    });
  }
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(last.join('\n')))));
  });
}
