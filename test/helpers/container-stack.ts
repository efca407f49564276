import { ImageName, getContainerRuntimeClient, getReaper } from 'testcontainers';
import type { ContainerRuntimeClient, StartedTestContainer } from 'testcontainers';
import { freePorts } from '../../local/ports.ts';
import type { Endpoints } from '../../local/stack.ts';
import { POSTGRES, kafkaPart, postgresPart, registryPart, temporalPart } from './container-parts.ts';
import type { ContainerPart } from './container-parts.ts';

/** Lines of a container's log that are shown when it fails. */
const LINES_SHOWN = 60;

/** A stack of containers that runs. */
export interface ContainerStack {
  endpoints: Endpoints;
  /** Removes the containers and what they stored; shows the logs of one that ended before. */
  stop(): Promise<void>;
}

interface Running {
  part: ContainerPart;
  container: StartedTestContainer;
  log: () => string;
}

/** The Docker engine that testcontainers finds, or undefined when none answers. */
export function findEngine(): Promise<ContainerRuntimeClient | undefined> {
  return getContainerRuntimeClient().catch(() => undefined);
}

/** Pulls the images that are not there, that of the reaper too. @throws Error saying which cannot be had */
export async function requireImages(engine: ContainerRuntimeClient): Promise<void> {
  const had = async (what: string, wanted: Promise<unknown>): Promise<void> => {
    await wanted.catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${what} cannot be had: ${reason.trim()}`, { cause });
    });
  };
  for (const { image } of [kafkaPart('', 0), registryPart(), temporalPart(), postgresPart()]) {
    const pulled = engine.image.pull(ImageName.fromString(image), { force: false, platform: undefined });
    await had(`the image ${image}`, pulled);
  }
  await had('the reaper of testcontainers', getReaper(engine));
}

/**
 * Starts Kafka, registry, Temporal and PostgreSQL in containers, all at once. Whatever becomes of this process, the
 * containers go: testcontainers' reaper sees to it.
 * @throws Error with the last lines of the log of each part that did not start
 */
export async function startContainers(engine: ContainerRuntimeClient): Promise<ContainerStack> {
  const host = addressOf(engine.info.containerRuntime.host);
  const [kafkaPort = 0] = await freePorts(1);
  const parts = [kafkaPart(host, kafkaPort), registryPart(), temporalPart(), postgresPart()];
  const results = await Promise.allSettled(parts.map(startPart));
  const running = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  if (failures.length > 0) {
    await Promise.all(running.map(remove));
    throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'));
  }
  const stop = async (): Promise<void> => {
    for (const one of running) await tellIfEnded(engine, one);
    await Promise.all(running.map(remove));
  };
  return { endpoints: endpointsOf(running), stop };
}

/** Not by name: it stands for two addresses, and only one of them may lead to the container. */
const addressOf = (host: string): string => (host === 'localhost' ? '127.0.0.1' : host);

async function startPart(part: ContainerPart): Promise<Running> {
  const lines: string[] = [];
  const log = (): string => lines.map((line) => `  ${part.name} | ${line}`).join('\n');
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  const container = part.container().withLogConsumer((stream) =>
    stream
      .on('data', (chunk: Buffer | string) => {
        lines.push(...chunk.toString().trimEnd().split('\n'));
        lines.splice(0, lines.length - LINES_SHOWN);
      })
      // Its log ends with it: no use in waiting for a part that is gone.
      .on('end', () => ended.reject(new Error('it ended'))),
  );
  try {
    return { part, container: await Promise.race([container.start(), ended.promise]), log };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${part.name} (${part.image}) did not start: ${reason}\n${log()}`, { cause });
  }
}

const remove = ({ container }: Running): Promise<unknown> => container.stop({ remove: true, removeVolumes: true });

/** A part that ended while tests ran explains their failures. */
async function tellIfEnded(engine: ContainerRuntimeClient, { part, container, log }: Running): Promise<void> {
  const { State: state } = await engine.container.inspect(engine.container.getById(container.getId()));
  if (state.Running) return;
  process.stderr.write(`\n${part.name} ended with code ${state.ExitCode} while the tests ran:\n${log()}\n`);
}

function endpointsOf(running: readonly Running[]): Endpoints {
  const address = (name: ContainerPart['name']): string => {
    const found = running.find(({ part }) => part.name === name);
    if (!found) throw new Error(`${name} does not run`);
    return `${addressOf(found.container.getHost())}:${found.container.getMappedPort(found.part.port)}`;
  };
  const { user, password, database } = POSTGRES;
  return {
    kafkaBrokers: address('kafka'),
    schemaRegistryUrl: `http://${address('registry')}/apis/ccompat/v7`,
    temporalAddress: address('temporal'),
    databaseUrl: `postgres://${user}:${password}@${address('postgres')}/${database}`,
  };
}
