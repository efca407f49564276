import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { OmsError } from '../domain/errors.ts';
import { childEnvironment } from '../platform/config/environment.ts';
import { exists, onPath, requireGo, requireMaven, requireSpace, runTold } from './tools.ts';

const POM = path.join(import.meta.dirname, 'pom.xml');
const TEMPORAL_CLI = 'github.com/temporalio/cli/cmd/temporal';
const TEMPORAL_VERSION = 'v1.5.1';
/** Room for a first run: the archives unpacked, Go's build of the Temporal server. */
const FIRST_RUN_GIB = 3;

type Report = (detail: string) => void;

/** What Kafka and the registry are run from. */
export interface JavaParts {
  kafkaClassPath: string;
  registryJar: string;
  registryDir: string;
}

/** Downloads are kept once per clone, for every stack started from it; Maven's and Go's own caches are shared beyond. */
const libraryDir = (): string => path.join(import.meta.dirname, '..', '.oms', 'lib');

function abandon(error: unknown, what: string): never {
  const message = error instanceof Error ? error.message : String(error);
  const reason = message.split('\n').find((line) => /error/i.test(line)) ?? message;
  throw new OmsError(
    'OMS_LOCAL_DOWNLOAD_FAILED',
    `${what} failed: ${reason.trim().slice(0, 400)}. Check the network, then start again: what is there already is kept.`,
    { cause: error },
  );
}

/** Fills a folder beside its place and moves it there whole, so that a run that was cut off leaves nothing half done. */
async function inPlace(target: string, fill: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${target}.${process.pid}.tmp`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await fill(draft);
  // Another `oms up` of this clone may have been faster: its result is as good.
  await rename(draft, target).catch(() => rm(draft, { recursive: true, force: true }));
}

async function partsIn(folder: string): Promise<JavaParts | undefined> {
  const registryDir = path.join(folder, 'registry');
  const registryJar = path.join(registryDir, 'apicurio-registry-app-3.0.9-runner.jar');
  try {
    const kafkaClassPath = (await readFile(path.join(folder, 'kafka.classpath'), 'utf8')).trim();
    const files = [registryJar, ...kafkaClassPath.split(path.delimiter)];
    const complete = (await Promise.all(files.map(exists))).every(Boolean);
    return complete ? { kafkaClassPath, registryJar, registryDir } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Kafka and the registry by Maven, unless they are there for this very pom.xml.
 * @throws OmsError OMS_LOCAL_MAVEN_MISSING, OMS_LOCAL_DOWNLOAD_FAILED, OMS_LOCAL_DISK_FULL
 */
export async function javaParts(report: Report, signal?: AbortSignal): Promise<JavaParts> {
  const hash = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 12);
  const folder = path.join(libraryDir(), `java-${hash}`);
  const present = await partsIn(folder);
  if (present) return present;
  await requireMaven();
  await requireSpace(libraryDir(), FIRST_RUN_GIB);
  await rm(folder, { recursive: true, force: true });
  await inPlace(folder, (draft) => fetchByMaven(draft, report, signal));
  return (await partsIn(folder)) ?? abandon(new Error('files are missing after it'), 'Fetching Kafka and the registry');
}

async function fetchByMaven(folder: string, report: Report, signal?: AbortSignal): Promise<void> {
  const told = mavenProgress();
  report('fetching Kafka and the registry: once, about 150 MB');
  const args = ['-f', POM, 'initialize', `-Doms.lib=${folder}`];
  try {
    await runTold({ file: 'mvn', args, signal }, (line) => report(told(line)));
  } catch (error) {
    signal?.throwIfAborted();
    abandon(error, 'Fetching Kafka and the registry by Maven');
  }
}

/** Maven's lines as one running sentence: files so far, and how far the one under way is. */
export function mavenProgress(): (line: string) => string {
  let files = 0;
  let under = '';
  return (line) => {
    if (line.includes('Downloaded from')) files += 1;
    const share = /Progress \(\d+\): (.+)/.exec(line)?.[1];
    if (share !== undefined) under = `, ${share.trim()}`;
    if (line.includes('Unpacking')) return 'unpacking the registry';
    return `fetching Kafka and the registry: ${files} files${under}`;
  };
}

/**
 * A `temporal` binary: the one set, the one on the PATH, else built once from source.
 * @throws OmsError OMS_LOCAL_GO_MISSING, OMS_LOCAL_DOWNLOAD_FAILED, OMS_LOCAL_DISK_FULL
 */
export async function temporalBinary(given: string, report: Report, signal?: AbortSignal): Promise<string> {
  if (given !== '') return given;
  if (await onPath('temporal')) return 'temporal';
  const folder = path.join(libraryDir(), `temporal-${TEMPORAL_VERSION}`);
  const binary = path.join(folder, 'temporal');
  if (await exists(binary)) return binary;
  await requireGo();
  await requireSpace(libraryDir(), FIRST_RUN_GIB);
  await inPlace(folder, (draft) => buildTemporal(draft, report, signal));
  return binary;
}

async function buildTemporal(folder: string, report: Report, signal?: AbortSignal): Promise<void> {
  let downloads = 0;
  let packages = 0;
  report('building the Temporal server: once, about 4 minutes of CPU');
  const onLine = (line: string): void => {
    if (line.startsWith('go: downloading')) downloads += 1;
    else packages += 1;
    report(`building the Temporal server: ${downloads} modules fetched, ${packages} packages compiled`);
  };
  const args = ['install', '-v', `${TEMPORAL_CLI}@${TEMPORAL_VERSION}`];
  try {
    await runTold({ file: 'go', args, environment: childEnvironment({ GOBIN: folder }), signal }, onLine);
  } catch (error) {
    signal?.throwIfAborted();
    abandon(error, 'Building the Temporal server by Go');
  }
}
