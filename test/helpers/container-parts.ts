import { GenericContainer, Wait } from 'testcontainers';
import { imageOf } from './container-images.ts';

/** One part of the stack as a container that is about to be started. */
export interface ContainerPart {
  name: 'kafka' | 'registry' | 'temporal' | 'postgres';
  image: string;
  /** Where it listens, inside. */
  port: number;
  container(): GenericContainer;
}

const STARTUP_MS = 180_000;
const REGISTRY_PORT = 8080;
const TEMPORAL_PORT = 7233;
const POSTGRES_PORT = 5432;

/** Asked by a command of the image's own, often. */
const healthy = (command: string, ...args: string[]) => ({
  test: ['CMD', command, ...args] as ['CMD', ...string[]],
  interval: 500,
  timeout: 5_000,
  retries: 240,
});

/**
 * A broker advertises the address its clients connect to, so that has to be known before it starts: the same port inside
 * and outside. Without settings the image has defaults for all, with one it has none.
 */
export function kafkaPart(host: string, port: number): ContainerPart {
  const environment = {
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9094',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENERS: `CLIENTS://:${port},BROKER://localhost:9093,CONTROLLER://localhost:9094`,
    KAFKA_ADVERTISED_LISTENERS: `CLIENTS://${host}:${port},BROKER://localhost:9093`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENTS:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '8',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: '4',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    KAFKA_HEAP_OPTS: '-Xms128M -Xmx768M',
    KAFKA_JVM_PERFORMANCE_OPTS: '-XX:TieredStopAtLevel=1',
  };
  const image = imageOf('KAFKA_IMAGE');
  const container = (): GenericContainer =>
    new GenericContainer(image)
      .withExposedPorts({ container: port, host: port })
      .withEnvironment(environment)
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/).withStartupTimeout(STARTUP_MS));
  return { name: 'kafka', image, port, container };
}

export function registryPart(): ContainerPart {
  const image = imageOf('REGISTRY_IMAGE');
  const container = (): GenericContainer =>
    new GenericContainer(image)
      .withExposedPorts(REGISTRY_PORT)
      .withEnvironment({
        QUARKUS_HTTP_ACCESS_LOG_ENABLED: 'false',
        JAVA_OPTS_APPEND: '-Xms64m -Xmx384m -XX:TieredStopAtLevel=1',
      })
      .withWaitStrategy(Wait.forHttp('/health/ready', REGISTRY_PORT).withStartupTimeout(STARTUP_MS));
  return { name: 'registry', image, port: REGISTRY_PORT, container };
}

/** Its port opens before it answers, and it answers before the namespace is there: asked for the namespace. */
export function temporalPart(): ContainerPart {
  const image = imageOf('TEMPORAL_IMAGE');
  const storage = ['--db-filename', '/home/temporal/temporal.db'];
  const pragmas = ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'];
  const ask = ['operator', 'namespace', 'describe', '--namespace', 'default'];
  const container = (): GenericContainer =>
    new GenericContainer(image)
      .withCommand([
        'server',
        'start-dev',
        '--headless',
        '--ip',
        '0.0.0.0',
        ...storage,
        ...pragmas,
        '--log-level',
        'warn',
      ])
      .withExposedPorts(TEMPORAL_PORT)
      .withHealthCheck(healthy('temporal', ...ask))
      .withWaitStrategy(Wait.forHealthCheck().withStartupTimeout(STARTUP_MS));
  return { name: 'temporal', image, port: TEMPORAL_PORT, container };
}

/** The account and database of the local stack's PostgreSQL. */
export const POSTGRES = { user: 'oms', password: 'oms', database: 'oms' };

/** Asked by TCP: while it makes its cluster, it answers by its socket only. */
export function postgresPart(): ContainerPart {
  const image = imageOf('POSTGRES_IMAGE');
  const { user, password, database } = POSTGRES;
  const quick = ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=200'];
  const container = (): GenericContainer =>
    new GenericContainer(image)
      .withCommand(['postgres', ...quick])
      .withEnvironment({ POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database })
      .withExposedPorts(POSTGRES_PORT)
      .withHealthCheck(healthy('pg_isready', '-h', '127.0.0.1', '-U', user, '-d', database))
      .withWaitStrategy(Wait.forHealthCheck().withStartupTimeout(STARTUP_MS));
  return { name: 'postgres', image, port: POSTGRES_PORT, container };
}
