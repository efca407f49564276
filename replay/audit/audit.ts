import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Admin, Kafka } from 'kafkajs';
import type { Database } from '../../database/database.ts';
import type { Operator } from '../../database/decisions.ts';
import type { OrderWorkflows, RunRecovery } from '../../ingest/order-workflows.ts';
import type { Codec } from '../../kafka/codec.ts';
import type { Providers } from '../../providers/providers.ts';
import { AUDIT_PARTS, keyOf } from './difference.ts';
import type { AuditCode, AuditPart, Difference, OrderCheck, WholeCheck } from './difference.ts';
import { invariantsOf } from './invariants.ts';
import type { InvariantResult } from './invariants.ts';
import { ledgerCheck } from './ledger.ts';
import { accountsCheck, chargesCheck, seriesCheck, spendCheck } from './money.ts';
import { factCheck, numberingCheck, statusCheck, unsentCheck } from './outbox.ts';
import { PAGE_ORDERS, orderPages } from './pages.ts';
import type { OrderChoice } from './pages.ts';
import { chargeRecordsCheck, providerCheck } from './providers.ts';
import { readAuditedTopics } from './read.ts';
import { repairAll } from './repair.ts';
import { createSeenRecords } from './seen.ts';
import { stockCheck } from './stock.ts';
import { createTally } from './tally.ts';
import type { Tally } from './tally.ts';
import { topicChecks } from './topics.ts';
import { unknownWorkflowCheck, workflowCheck } from './workflows.ts';

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

export interface AuditOptions extends OrderChoice {
  /** @default all parts */
  parts?: readonly AuditPart[];
  /** What is younger may still be under way. @default 60 s */
  graceMs?: number;
  /** What was found is looked at again after so long, and counts if it is found again. @default 5 s */
  settleMs?: number;
  /** Mend what is safe, in this name. */
  repair?: Operator;
  onProgress?: (progress: { orders: number; records: number }) => void;
}

export interface AuditReport {
  startedAt: Date;
  endedAt: Date;
  parts: readonly AuditPart[];
  /** Order ids looked at. */
  orders: number;
  /** Records read on topics. */
  records: number;
  differences: Difference[];
  /** Also beyond those that are listed; of what is found order by order no more than those are looked at twice. */
  counts: Partial<Record<AuditCode, number>>;
  invariants: InvariantResult[];
}

const GRACE_MS = 60_000;
const SETTLE_MS = 5_000;

/**
 * Compares ledger, Temporal, outbox, topics, stock, invoices and the providers' records while the OMS runs, page by page.
 * The places are read one after the other; so a difference that was found order by order counts only if it is still there
 * a while later.
 * @throws OmsError, retryable, when a part is away
 */
export async function runAudit(deps: AuditDependencies, options: AuditOptions = {}): Promise<AuditReport> {
  const startedAt = new Date();
  const parts = options.parts ?? AUDIT_PARTS;
  const progress = { orders: 0, records: 0 };
  // The table of what was seen belongs to one connection.
  const tally = await deps.db.connection().execute((connection) => look(deps, connection, options, parts, progress));
  const differences = tally.kept();
  if (options.repair) await repairAll(deps, options.repair, differences);
  const invariants = invariantsOf(tally.counts, new Set(parts));
  const counts = Object.fromEntries(tally.counts);
  return { startedAt, endedAt: new Date(), parts, ...progress, differences, counts, invariants };
}

async function look(
  deps: AuditDependencies,
  connection: Database,
  options: AuditOptions,
  parts: readonly AuditPart[],
  progress: { orders: number; records: number },
): Promise<Tally> {
  const tally = createTally();
  const seen = parts.includes('topics') ? await createSeenRecords(connection) : null;
  const onRecords = (count: number): void => {
    progress.records += count;
    options.onProgress?.(progress);
  };
  try {
    const { orderIds } = options;
    const reading = { ...deps, orderIds, onFound: tally.add, onRecords };
    const read = await readAuditedTopics(reading, { seen, input: parts.includes('input') });
    const ofTopics = seen ? topicChecks({ seen: seen.db, ...read }) : [];
    const checks = [...orderChecks(deps, options, parts), ...ofTopics];
    const suspects = createTally();
    for await (const page of orderPages(deps.db, options)) {
      suspects.add(await findIn(checks, page));
      progress.orders += page.length;
      options.onProgress?.(progress);
    }
    tally.add(await stillThere(checks, suspects, options.settleMs ?? SETTLE_MS));
    if (!isPartial(options)) for (const check of wholeChecks(deps, options, parts)) tally.add(await check());
    return tally;
  } finally {
    await seen?.drop();
  }
}

const isPartial = ({ orderIds, since }: OrderChoice): boolean => orderIds !== undefined || since !== undefined;

function orderChecks(deps: AuditDependencies, options: AuditOptions, parts: readonly AuditPart[]): OrderCheck[] {
  const { db, codec, prefix, providers } = deps;
  const graceMs = options.graceMs ?? GRACE_MS;
  const checks: Partial<Record<AuditPart, OrderCheck[]>> = {
    ledger: [ledgerCheck(db, graceMs)],
    temporal: [workflowCheck({ ...deps, graceMs })],
    outbox: [numberingCheck(db), factCheck(db), statusCheck(db, codec, prefix)],
    money: [accountsCheck(db)],
    providers: [providerCheck({ db, ...providers })],
  };
  return parts.flatMap((part) => checks[part] ?? []);
}

/** Not for an audit of some orders only. */
function wholeChecks(deps: AuditDependencies, options: AuditOptions, parts: readonly AuditPart[]): WholeCheck[] {
  const { db, providers } = deps;
  const graceMs = options.graceMs ?? GRACE_MS;
  const checks: Partial<Record<AuditPart, WholeCheck[]>> = {
    temporal: [unknownWorkflowCheck({ ...deps, graceMs })],
    outbox: [unsentCheck(db, graceMs)],
    stock: [stockCheck(db)],
    money: [seriesCheck(db), spendCheck(db), chargesCheck(db)],
    providers: [chargeRecordsCheck({ db, ...providers })],
  };
  return parts.flatMap((part) => checks[part] ?? []);
}

async function findIn(checks: readonly OrderCheck[], page: readonly string[]): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const check of checks) found.push(...(await check(page)));
  return found;
}

async function stillThere(checks: readonly OrderCheck[], suspects: Tally, settleMs: number): Promise<Difference[]> {
  const before = new Set(suspects.kept().map(keyOf));
  if (before.size === 0) return [];
  await sleep(settleMs);
  const orderIds = [...new Set(suspects.kept().flatMap(({ orderId }) => orderId ?? []))];
  const found: Difference[] = [];
  for (let from = 0; from < orderIds.length; from += PAGE_ORDERS) {
    found.push(...(await findIn(checks, orderIds.slice(from, from + PAGE_ORDERS))));
  }
  return found.filter((one) => before.has(keyOf(one)));
}
