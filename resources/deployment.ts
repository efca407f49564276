import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Connection } from '@temporalio/client';
import type { Admin, Kafka } from 'kafkajs';
import type { Database } from '../database/database.ts';
import { assertDeployment, assertNotRebuilding, readDeploymentId } from '../database/deployment/deployment.ts';
import type { DeploymentMarks } from '../database/deployment/deployment.ts';
import { assertMigrated } from '../database/migrate.ts';
import { foreignTo, readTopicMark, writeTopicMark } from '../kafka/admin/deployment-mark.ts';
import type { TopicMark } from '../kafka/admin/deployment-mark.ts';
import type { KafkaConnection } from '../kafka/client/client.ts';
import type { Config } from '../platform/config/settings.ts';
import { readNamespaceMark, writeNamespaceMark } from '../temporal/client.ts';
import { assertNotBehind } from './behind.ts';
import { kafkaError, temporalError } from './errors.ts';
import { commandResources } from './profiles.ts';
import type { Resources } from './resources.ts';

/** The open connections that reading and writing the marks take. */
export interface Parts {
  config: Config;
  db: Database;
  kafka: Kafka;
  admin: Admin;
  connection: KafkaConnection;
  temporal: Connection;
  /** The state directory of the local stack these parts are; undefined for parts that run elsewhere. */
  stateDir: string | undefined;
}

/** `stateDir` as in the parts. @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_NOT_AUTHORIZED, OMS_TEMPORAL_UNAVAILABLE */
export async function deploymentParts(resources: Resources, stateDir: string | undefined): Promise<Parts> {
  const { config } = resources;
  const connection = resources.kafkaConnection();
  const [kafka, db] = [await resources.kafka(), await resources.database()];
  const admin = await resources.connectedAdmin().catch((error: unknown) => {
    throw kafkaError(config, error);
  });
  const { connection: temporal } = await resources.temporal();
  return { config, db, kafka, admin, connection, temporal, stateDir };
}

/** What the topics say whose they are. @throws OmsError, retryable, also OMS_KAFKA_NOT_AUTHORIZED */
export function readMark({ kafka, admin, config }: Parts): Promise<TopicMark | undefined> {
  return readTopicMark(kafka, admin, config.OMS_PREFIX).catch((error: unknown) => {
    throw kafkaError(config, error);
  });
}

/** The id at every place. `mark`: what the topics say, where it is being asked for anyway. */
export async function readMarks(parts: Parts, mark = readMark(parts)): Promise<DeploymentMarks> {
  const { config, temporal } = parts;
  const [database, namespace, topic, directory] = await Promise.all([
    readDeploymentId(parts.db),
    readNamespaceMark(temporal, config.TEMPORAL_NAMESPACE).catch((error: unknown) => {
      throw temporalError(config, error);
    }),
    mark,
    parts.stateDir === undefined ? undefined : readStateMark(parts.stateDir),
  ]);
  const marks: DeploymentMarks = { database, 'Temporal namespace': namespace, 'Kafka topic': topic?.id };
  return parts.stateDir === undefined ? marks : { ...marks, 'state directory': directory };
}

/** Writes the id to every place but the database that has not got it. `earlier`: those that the topics had before. */
export async function writeMarks(parts: Parts, { id, earlier }: TopicMark, marks: DeploymentMarks): Promise<void> {
  const { config, stateDir } = parts;
  if (marks['Temporal namespace'] !== id) await writeNamespaceMark(parts.temporal, config.TEMPORAL_NAMESPACE, id);
  if (marks['Kafka topic'] !== id) await writeTopicMark(parts.connection, config.OMS_PREFIX, { id, earlier });
  if (stateDir !== undefined && marks['state directory'] !== id) await writeStateMark(stateDir, id);
}

/**
 * What each role does before it starts: the database is migrated, is not being filled anew, belongs to one deployment with
 * Temporal namespace and topics, and knows what these know.
 * @throws OmsError OMS_DEPLOYMENT_MISMATCH, OMS_DATABASE_BEHIND, OMS_REBUILD_UNDER_WAY, OMS_DATABASE_MIGRATION_BEHIND, or
 *   a retryable one when a part is away
 */
export async function checkDeployment(config: Config): Promise<void> {
  await using resources = commandResources(config);
  const parts = await deploymentParts(resources, undefined);
  await assertMigrated(parts.db);
  await assertNotRebuilding(parts.db);
  await assertWhole(parts);
}

/**
 * Asked at once, since each takes a consumer group; a foreign database is told of before one that is behind.
 * @throws OmsError OMS_DEPLOYMENT_MISMATCH, OMS_DATABASE_BEHIND
 */
export async function assertWhole(parts: Parts): Promise<DeploymentMarks> {
  const mark = readMark(parts);
  const foreign = () => mark.then(foreignTo);
  const [marks, behind] = await Promise.allSettled([readMarks(parts, mark), assertNotBehind(parts, foreign)]);
  if (marks.status === 'rejected') throw marks.reason;
  assertDeployment(marks.value);
  if (behind.status === 'rejected') throw behind.reason;
  return marks.value;
}

const markFile = (stateDir: string): string => path.join(stateDir, 'deployment-id');

async function readStateMark(stateDir: string): Promise<string | undefined> {
  return (await readFile(markFile(stateDir), 'utf8').catch(() => undefined))?.trim() || undefined;
}

async function writeStateMark(stateDir: string, id: string): Promise<void> {
  await mkdir(stateDir, { recursive: true });
  await writeFile(markFile(stateDir), `${id}\n`);
}
