import type { Client } from '@temporalio/client';
import type { Admin, Kafka } from 'kafkajs';
import type { Database } from '../../database/database.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Config } from '../../platform/config/settings.ts';
import { kafkaError } from '../../resources/errors.ts';
import type { Resources } from '../../resources/resources.ts';
import { createDeploymentMemory } from '../../temporal/retention.ts';

/** What a replay talks to. */
export interface ReplayParts extends Pick<Resources, 'openPublisher'> {
  config: Config;
  connection: KafkaConnection;
  kafka: Kafka;
  /** Connected. */
  admin: Admin;
  db: Database;
  codec: Codec;
  client: Client;
  memory: ReturnType<typeof createDeploymentMemory>;
}

/** @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_NOT_AUTHORIZED */
export async function replayParts(resources: Resources): Promise<ReplayParts> {
  const { config, openPublisher } = resources;
  const [db, codec, temporal] = [await resources.database(), await resources.codec(), await resources.temporal()];
  const admin = await resources.connectedAdmin().catch((error: unknown) => {
    throw kafkaError(config, error);
  });
  return {
    ...{ config, openPublisher, admin, db, codec },
    connection: resources.kafkaConnection(),
    kafka: await resources.kafka(),
    client: temporal.client,
    memory: createDeploymentMemory({ db, retention: () => temporal.retention() }),
  };
}
