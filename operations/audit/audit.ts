import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import type { Database } from '../../database/database.ts';
import type { Operator } from '../../database/decisions.ts';
import { orderChecks, seenChecks, wholeChecks } from './checks.ts';
import type { AuditDependencies } from './checks.ts';
import { AUDIT_PARTS, invariantsOf, keyOf } from './difference.ts';
import type { AuditCode, AuditPart, Difference, InvariantResult, OrderCheck } from './difference.ts';
import { createSeenLetters } from './letters.ts';
import { readAuditedTopics } from './read.ts';
import { repairAll } from './repair.ts';
import { createSeenRecords } from './seen.ts';
import { listRuns } from './workflows.ts';

export type { AuditDependencies } from './checks.ts';

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
  /** Of the orders asked for those that were found nowhere. */
  unknown: string[];
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
  const unknown = await unknownOf(deps.db, options, differences);
  progress.orders -= unknown.length;
  return { startedAt, endedAt: new Date(), parts, ...progress, unknown, differences, counts, invariants };
}

/** A misspelt order would pass for one that has no differences. */
async function unknownOf(
  db: Database,
  { orderIds = [] }: OrderChoice,
  found: readonly Difference[],
): Promise<string[]> {
  const named = new Set(found.map(({ orderId }) => orderId));
  return (await unknownOrders(db, orderIds)).filter((orderId) => !named.has(orderId));
}

async function look(
  deps: AuditDependencies,
  connection: Database,
  options: AuditOptions,
  parts: readonly AuditPart[],
  progress: { orders: number; records: number },
): Promise<Tally> {
  const tally = createTally();
  const isWhole = !isPartial(options);
  const graceMs = options.graceMs ?? GRACE_MS;
  const onRecords = (count: number): void => {
    progress.records += count;
    options.onProgress?.(progress);
  };
  try {
    const isSeen = parts.some((part) => part === 'topics' || part === 'news');
    const seen = isSeen ? await createSeenRecords(connection) : null;
    const letters = isWhole && parts.includes('letters') ? await createSeenLetters(connection) : null;
    const listed = isWhole && parts.includes('temporal') ? await listRuns(connection, deps.client) : null;
    const { orderIds } = options;
    const read = await readAuditedTopics({ ...deps, parts, seen, letters, orderIds, onFound: tally.add, onRecords });
    await seen?.read();
    const checks = [...orderChecks({ ...deps, listed }, parts, graceMs), ...seenChecks(seen, read, parts)];
    const suspects = createTally();
    for await (const page of orderPages(deps.db, options)) {
      suspects.add(await findIn(checks, page));
      progress.orders += page.length;
      options.onProgress?.(progress);
    }
    tally.add(await stillThere(checks, suspects, options.settleMs ?? SETTLE_MS));
    if (letters) tally.add(await letters.missing(read)());
    if (isWhole) for (const check of wholeChecks(deps, parts, graceMs)) tally.add(await check());
    return tally;
  } finally {
    await dropAuditTables(connection);
  }
}

const isPartial = ({ orderIds, since }: OrderChoice): boolean => orderIds !== undefined || since !== undefined;

/** Enough to keep all parts busy, and few enough to leave the database to the orders. */
const CHECKS_AT_ONCE = 3;

async function findIn(checks: readonly OrderCheck[], page: readonly string[]): Promise<Difference[]> {
  const limiter = pLimit(CHECKS_AT_ONCE);
  return (await Promise.all(checks.map((check) => limiter(() => check(page))))).flat();
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

/** Differences kept of each code; more are counted only, so that a database of others cannot fill the memory. */
const KEPT_PER_CODE = 10_000;

/** Collects differences, each once. */
interface Tally {
  add: (differences: readonly Difference[]) => void;
  counts: ReadonlyMap<AuditCode, number>;
  kept(): Difference[];
}

function createTally(): Tally {
  const counts = new Map<AuditCode, number>();
  const kept = new Map<string, Difference>();
  return {
    counts,
    kept: () => [...kept.values()],
    add: (differences) => {
      for (const one of differences) {
        if (kept.has(keyOf(one))) continue;
        const count = (counts.get(one.code) ?? 0) + 1;
        counts.set(one.code, count);
        if (count <= KEPT_PER_CODE) kept.set(keyOf(one), one);
      }
    },
  };
}

/**
 * Takes what an audit has kept on this connection away, however far it had come: the connection goes back to a pool. It is
 * gone already where the connection is what failed.
 */
export async function dropAuditTables(connection: Database): Promise<void> {
  await sql`drop table if exists audit_seen, audit_letters, audit_runs`.execute(connection).catch(() => undefined);
}

/** Which orders are audited. */
interface OrderChoice {
  /** Only these. */
  orderIds?: readonly string[];
  /** Only those whose state changed since, and those that have none. */
  since?: Date;
}

/** Orders looked at together: enough that a page costs no more in round trips than in work. */
const PAGE_ORDERS = 1_000;

/** Every order id that the ledger or the orders' state has, page by page, in key order. */
async function* orderPages(db: Database, { orderIds, since }: OrderChoice): AsyncGenerator<string[]> {
  if (orderIds) {
    for (let from = 0; from < orderIds.length; from += PAGE_ORDERS) yield orderIds.slice(from, from + PAGE_ORDERS);
    return;
  }
  const changed = since
    ? sql`and not exists (select from orders o where o.order_id = known.order_id and o.updated_at < ${since})`
    : sql``;
  for (let after = ''; ;) {
    const { rows } = await sql<{ orderId: string; isChosen: boolean }>`
      select known.order_id as "orderId", true ${changed} as "isChosen" from (
        (select order_id from ledger where order_id > ${after} order by order_id limit ${PAGE_ORDERS})
        union
        (select order_id from orders where order_id > ${after} order by order_id limit ${PAGE_ORDERS})
      ) as known order by known.order_id limit ${PAGE_ORDERS}
    `.execute(db);
    const last = rows.at(-1);
    if (!last) return;
    const chosen = rows.filter(({ isChosen }) => isChosen).map(({ orderId }) => orderId);
    if (chosen.length > 0) yield chosen;
    after = last.orderId;
  }
}

/** Those of the orders that the database has nothing of. */
async function unknownOrders(db: Database, orderIds: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ orderId: string }>`
    select distinct given.order_id as "orderId" from unnest(${[...orderIds]}::text[]) as given(order_id)
    where not exists (select from ledger l where l.order_id = given.order_id)
      and not exists (select from orders o where o.order_id = given.order_id)
      and not exists (select from dead_letters d where d.order_id = given.order_id)
  `.execute(db);
  return rows.map(({ orderId }) => orderId);
}
