import { ORDERS_TASK_QUEUE } from '../../domain/contract.ts';
import { kafkaError } from '../../resources/errors.ts';
import type { Resources } from '../../resources/resources.ts';
import { createOrderWorkflows, timersOf } from '../../temporal/order-workflows.ts';
import type { AuditDependencies } from './checks.ts';

/** All that an audit compares. @throws OmsError OMS_TEMPORAL_UNAVAILABLE, OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_NOT_AUTHORIZED */
export async function auditParts(resources: Resources): Promise<AuditDependencies> {
  const { config } = resources;
  const { OMS_PREFIX: prefix } = config;
  const taskQueue = `${prefix}${ORDERS_TASK_QUEUE}`;
  const { client } = await resources.temporal();
  const admin = await resources.connectedAdmin().catch((error: unknown) => {
    throw kafkaError(config, error);
  });
  return {
    ...{ prefix, taskQueue, client, admin },
    db: await resources.database(),
    kafka: await resources.kafka(),
    codec: await resources.codec(),
    providers: await resources.providers(),
    workflows: createOrderWorkflows({ client, taskQueue, timersOf: timersOf(config) }),
  };
}
