import type { Client } from '@temporalio/client';
import type { Admin, Kafka } from 'kafkajs';
import type { Database } from '../../database/database.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Providers } from '../../resources/providers.ts';
import type { OrderWorkflows, RunRecovery } from '../../temporal/order-workflows.ts';
import type { AuditPart, OrderCheck, TopicReading, WholeCheck } from './difference.ts';
import { ledgerCheck } from './ledger.ts';
import { accountsCheck, chargesCheck, seriesCheck, spendCheck } from './money.ts';
import { postedNewsCheck } from './news.ts';
import { factCheck, numberingCheck, statusCheck, unsentCheck } from './outbox.ts';
import { chargeRecordsCheck, providerCheck } from './providers.ts';
import type { SeenRecords } from './seen.ts';
import { stockCheck } from './stock.ts';
import { topicChecks } from './topics.ts';
import { unknownWorkflowCheck, workflowCheck } from './workflows.ts';
import type { ListedRuns } from './workflows.ts';

export interface AuditDependencies {
  db: Database;
  kafka: Kafka;
  admin: Admin;
  codec: Codec;
  client: Client;
  workflows: OrderWorkflows & RunRecovery;
  providers: Pick<Providers, 'payment' | 'carrier'>;
  /** OMS_PREFIX */
  prefix: string;
  /** With the prefix. */
  taskQueue: string;
}

/** Checks of a page of orders. */
export function orderChecks(
  deps: AuditDependencies & { listed: ListedRuns | null },
  parts: readonly AuditPart[],
  graceMs: number,
): OrderCheck[] {
  const { db, codec, prefix, providers } = deps;
  const checks: Partial<Record<AuditPart, OrderCheck[]>> = {
    ledger: [ledgerCheck(db, graceMs)],
    temporal: [workflowCheck({ ...deps, graceMs })],
    outbox: [numberingCheck(db), factCheck(db), statusCheck(db, codec, prefix)],
    money: [accountsCheck(db)],
    providers: [providerCheck({ db, ...providers })],
  };
  return parts.flatMap((part) => checks[part] ?? []);
}

/** Checks of a page of orders by what was seen on topics. */
export function seenChecks(seen: SeenRecords | null, read: TopicReading, parts: readonly AuditPart[]): OrderCheck[] {
  if (!seen) return [];
  const options = { seen: seen.db, ...read };
  return [
    ...(parts.includes('topics') ? topicChecks(options) : []),
    ...(parts.includes('news') ? [postedNewsCheck(options)] : []),
  ];
}

/** Checks over all orders; not for an audit of some. */
export function wholeChecks(deps: AuditDependencies, parts: readonly AuditPart[], graceMs: number): WholeCheck[] {
  const { db, providers } = deps;
  const checks: Partial<Record<AuditPart, WholeCheck[]>> = {
    temporal: [unknownWorkflowCheck(deps)],
    outbox: [unsentCheck(db, graceMs)],
    stock: [stockCheck(db)],
    money: [seriesCheck(db), spendCheck(db), chargesCheck(db)],
    providers: [chargeRecordsCheck({ db, ...providers })],
  };
  return parts.flatMap((part) => checks[part] ?? []);
}
