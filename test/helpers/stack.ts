import { readStack, startStack } from '../../local/stack.ts';
import type { Endpoints, Stack } from '../../local/stack.ts';
import { endpointVariables } from '../../local/types.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { warmCoordinators } from './warm-up.ts';

/** Where the tests find the stack: each setting's name with this in front. */
const PREFIX = 'OMS_TEST_';

/** A stack the integration tests run on, and how to be rid of it. */
export interface TestStack {
  endpoints: Endpoints;
  stop(): Promise<void>;
}

/** Where the tests' stack comes from: containers, child processes, or whichever this machine has. */
const KINDS = ['auto', 'containers', 'local'] as const;
type Kind = (typeof KINDS)[number];

/**
 * The one place that decides where the integration tests get their Kafka, registry, Temporal and PostgreSQL from: the
 * running stack of the state directory named by OMS_TEST_STACK_DIR; else one of their own, on free ports, so that it
 * works beside a running `npm start`. OMS_TEST_STACK says of what kind. By default it is containers where a Docker engine
 * answers and has or gets the images, else the local stack.
 */
export async function obtainStack(): Promise<TestStack> {
  const directory = process.env.OMS_TEST_STACK_DIR;
  if (directory) return borrowStack(directory);
  const kind = wantedKind();
  return (kind === 'local' ? undefined : await containerStack(kind)) ?? ownStack();
}

function wantedKind(): Kind {
  const given = process.env.OMS_TEST_STACK || 'auto';
  const kind = KINDS.find((known) => known === given);
  if (!kind) throw new Error(`OMS_TEST_STACK is ${JSON.stringify(given)}: must be one of ${KINDS.join(', ')}`);
  return kind;
}

/** Undefined where there is no engine, or no images, and nobody insists. */
async function containerStack(kind: Kind): Promise<TestStack | undefined> {
  // Loaded only here: it takes a second.
  const { findEngine, requireImages, startContainers } = await import('./container-stack.ts');
  const engine = await findEngine();
  if (!engine && kind === 'auto') return undefined;
  if (!engine) throw new Error('OMS_TEST_STACK is containers, and no Docker engine answers');
  try {
    await requireImages(engine);
  } catch (error) {
    if (kind === 'containers' || !(error instanceof Error)) throw error;
    process.stderr.write(`  test stack: no containers, ${error.message}\n`);
    return undefined;
  }
  const leftOut = kind === 'containers' ? '; left out: test/integration/local, which tests the local stack itself' : '';
  process.stderr.write(`  test stack: containers${leftOut}\n`);
  const stack = await startContainers(engine);
  await warmCoordinators(stack.endpoints.kafkaBrokers);
  return stack;
}

async function borrowStack(directory: string): Promise<TestStack> {
  const record = await readStack(directory);
  if (!record) throw new Error(`OMS_TEST_STACK_DIR is ${directory}, and no stack is recorded there: run \`oms up\``);
  return { endpoints: record.endpoints, stop: () => Promise.resolve() };
}

async function ownStack(): Promise<TestStack> {
  const config = loadConfig();
  const stack: Stack = await startStack({
    ephemeral: true,
    stateDir: '',
    ports: { kafka: 0, registry: 0, temporal: 0, temporalUi: 0, postgres: 0 },
    temporalBinary: config.OMS_TEMPORAL_BIN,
    onProgress: tellSteps(),
  });
  await warmCoordinators(stack.endpoints.kafkaBrokers);
  return { endpoints: stack.endpoints, stop: () => stack.stop() };
}

/** A fresh machine downloads for minutes: say what is going on, a line for each new kind of step. */
function tellSteps(): (progress: { part: string; detail: string }) => void {
  const told = new Set<string>();
  return ({ part, detail }) => {
    const step = `${part}: ${detail.replace(/[:,].*/, '')}`;
    if (told.has(step)) return;
    told.add(step);
    process.stderr.write(`  test stack, ${step}\n`);
  };
}

/** Hands the endpoints to the test files, which run in processes of their own. */
export function publishEndpoints(endpoints: Endpoints): void {
  for (const [name, value] of Object.entries(endpointVariables(endpoints))) process.env[PREFIX + name] = value;
}

/** The settings of the stack under test, by name: `KAFKA_BROKERS`, `SCHEMA_REGISTRY_URL`, `TEMPORAL_ADDRESS`, `DATABASE_URL`. */
export function testEnvironment(): Record<
  'KAFKA_BROKERS' | 'SCHEMA_REGISTRY_URL' | 'TEMPORAL_ADDRESS' | 'DATABASE_URL',
  string
> {
  const read = (name: string): string => {
    const value = process.env[PREFIX + name];
    if (!value) throw new Error(`${PREFIX}${name} is not set: only tests in test/integration have a stack`);
    return value;
  };
  return {
    KAFKA_BROKERS: read('KAFKA_BROKERS'),
    SCHEMA_REGISTRY_URL: read('SCHEMA_REGISTRY_URL'),
    TEMPORAL_ADDRESS: read('TEMPORAL_ADDRESS'),
    DATABASE_URL: read('DATABASE_URL'),
  };
}
