import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { databaseError } from '../database/database.ts';
import type { Database } from '../database/database.ts';
import { readLedgerSince } from '../database/deployment/deployment.ts';
import { faultError } from '../domain/errors.ts';
import type { OmsError } from '../domain/errors.ts';
import { topicsThere } from '../kafka/admin/topics-there.ts';
import { topicNames } from '../kafka/topics.ts';
import type { Logger } from '../platform/logger.ts';

/** What of an event tells how old it is. */
export interface Aged {
  /** Upstream's time, ms since the epoch. */
  occurredAt: number;
  /** Of the record, ms since the epoch; -1 where it has none. */
  record: { timestamp: number };
}

/** Whether "the ledger does not know this order" means that it is new. */
export interface Memory {
  /** Why it does not: the fault for the dead letter. Undefined where it does. */
  staleness(event: Aged): OmsError | undefined;
}

/** A ledger that has known every order from the first on: all but a deployment whose database was replaced. */
export const completeMemory: Memory = { staleness: () => undefined };

/** Clocks differ, and a record may be stamped a little after its order was started. */
const MARGIN_MS = 60 * 60_000;

export interface MemoryOptions {
  /** Since when the ledger is complete, ms since the epoch; undefined = from the first order on. */
  ledgerSinceMs: number | undefined;
  /** How long Temporal remembers a workflow after its close, ms. */
  retentionMs: number;
  /** Clock in ms. */
  now?: () => number;
}

/**
 * The ledger decides about all that came since it is complete. Of what is older, Temporal still knows what it may have
 * run if it is younger than the retention: that counts from the close of a workflow, which no order event precedes. What
 * is older than both may have been shipped and charged long ago.
 */
export function createMemory({ ledgerSinceMs, retentionMs, now = Date.now }: MemoryOptions): Memory {
  if (ledgerSinceMs === undefined) return completeMemory;
  return {
    staleness: (event) => {
      // Upstream's time counts too: what it exports anew is a fresh record of an old order.
      const at = Math.min(event.record.timestamp, event.occurredAt);
      const from = Math.min(ledgerSinceMs, now() - retentionMs + MARGIN_MS);
      return at < from ? staleError(at, from) : undefined;
    },
  };
}

function staleError(at: number, from: number): OmsError {
  const rule =
    `must be ${timeText(from)} or later: neither this ledger nor Temporal remembers orders from before. ` +
    'Rebuild the ledger, or start it by `oms replay plan --allow-stale` if it is known to be new';
  return faultError('OMS_INGEST_STALE', { field: 'occurredAt', value: timeText(at), rule });
}

const timeText = (ms: number): string => (ms < 0 ? 'no time' : new Date(ms).toISOString());

/**
 * A memory that is read from the deployment before it is first asked.
 * @param retention how long Temporal remembers a closed workflow, ms
 */
export function createDeploymentMemory(options: {
  db: Database;
  retention: () => Promise<number>;
}): Memory & { load(): Promise<void> } {
  let memory: Memory | undefined;
  return {
    load: async () => {
      const ledgerSince = await readLedgerSince(options.db).catch((error: unknown) => {
        throw databaseError(error);
      });
      memory = createMemory({ ledgerSinceMs: ledgerSince?.getTime(), retentionMs: await options.retention() });
    },
    staleness: (event) => {
      if (!memory) throw new Error('the memory is not loaded');
      return memory.staleness(event);
    },
  };
}

/** How long a topic that order events are read from keeps them. */
interface TopicRetention {
  topic: string;
  /** ms; null = for ever. A topic keeps records at least so long, quiet ones longer. */
  retentionMs: number | null;
  isCompacted: boolean;
}

/** The three memories whose lengths decide whether an old order can be taken for a new one. */
export interface RetentionFacts {
  topics: readonly TopicRetention[];
  /** How long Temporal remembers a closed workflow, ms. */
  temporalMs: number;
  /** Since when the ledger is complete, ms since the epoch; undefined = from the first order on. */
  ledgerSinceMs: number | undefined;
  nowMs: number;
}

/** `warning`: events will be refused or are lost; `note`: what guards against old orders being taken for new ones. */
type RetentionFinding = { topic: string; message: string } & (
  { level: 'warning'; /** What mends it. */ remedy: string } | { level: 'note'; remedy?: undefined }
);

/** Before when neither Temporal nor the ledger tells an order from a new one, ms; null = never: the ledger is complete. */
export function forgottenBefore({ temporalMs, ledgerSinceMs, nowMs }: RetentionFacts): number | null {
  return ledgerSinceMs === undefined ? null : Math.min(ledgerSinceMs, nowMs - temporalMs);
}

/** Compares what topics keep with what Temporal and the ledger remember. */
export function compareRetention(facts: RetentionFacts): RetentionFinding[] {
  return facts.topics.flatMap((topic) => [...compactionFinding(topic), memoryFinding(facts, topic)]);
}

function compactionFinding({ topic, isCompacted }: TopicRetention): RetentionFinding[] {
  if (!isCompacted) return [];
  const message = 'is compacted: only the last event of an order stays, and an order without its placing never starts';
  return [{ level: 'warning', topic, message, remedy: 'set cleanup.policy=delete' }];
}

function memoryFinding(facts: RetentionFacts, { topic, retentionMs }: TopicRetention): RetentionFinding {
  const { temporalMs, ledgerSinceMs, nowMs } = facts;
  const forgottenMs = forgottenBefore(facts);
  const kept = `keeps events ${retentionMs === null ? 'for ever' : inWords(retentionMs)}`;
  const remembers = `Temporal remembers closed orders ${inWords(temporalMs)}`;
  if (retentionMs !== null && retentionMs < temporalMs) {
    return { level: 'note', topic, message: `${kept}, ${remembers}: it knows every order a replay can bring` };
  }
  if (ledgerSinceMs === undefined || forgottenMs === null) {
    return { level: 'note', topic, message: `${kept}, ${remembers}: of what is older the ledger knows every order` };
  }
  const oldestMs = retentionMs === null ? -Infinity : nowMs - retentionMs;
  const since = new Date(ledgerSinceMs).toISOString();
  if (oldestMs >= forgottenMs) {
    return { level: 'note', topic, message: `${kept}, ${remembers}, the ledger since ${since}: nothing is forgotten` };
  }
  const message =
    `${kept}, ${remembers}, and the ledger is complete only since ${since}: orders from before ` +
    `${new Date(forgottenMs).toISOString()} are refused as stale (OMS_INGEST_STALE) when they are read again`;
  return { level: 'warning', topic, message, remedy: 'rebuild the ledger (docs/replay.md)' };
}

function inWords(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 48 ? `${Math.round(hours / 24)} days` : `${Math.round(hours * 10) / 10} hours`;
}

interface RetentionSources {
  /** Connected. */
  admin: Admin;
  db: Database;
  /** How long Temporal remembers a closed workflow, ms. */
  retention: () => Promise<number>;
  /** OMS_PREFIX */
  prefix: string;
}

/** Asks Kafka, Temporal and the database. Topics that do not exist are left out. @throws what those throw */
export async function readRetention({ admin, db, retention, prefix }: RetentionSources): Promise<RetentionFacts> {
  const names = topicNames(prefix);
  const topics = [...(await topicsThere(admin, [names.orders, names['orders.dlq']]))];
  const [temporalMs, ledgerSince, retentions] = await Promise.all([
    retention(),
    readLedgerSince(db),
    topics.length === 0 ? [] : topicRetentions(admin, topics),
  ]);
  return { topics: retentions, temporalMs, ledgerSinceMs: ledgerSince?.getTime(), nowMs: Date.now() };
}

/** How long each of these topics keeps records. @throws what Kafka throws */
export async function topicRetentions(admin: Admin, topics: readonly string[]): Promise<TopicRetention[]> {
  const configNames = ['retention.ms', 'cleanup.policy'];
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type, name, configNames })),
  });
  return resources.map(({ resourceName: topic, configEntries }) => {
    const valueOf = (name: string) => configEntries.find(({ configName }) => configName === name)?.configValue ?? '';
    const ms = Number(valueOf('retention.ms'));
    const policies = valueOf('cleanup.policy').split(',');
    // A topic that is only compacted deletes nothing for its age.
    const retentionMs = ms < 0 || !policies.includes('delete') ? null : ms;
    return { topic, retentionMs, isCompacted: policies.includes('compact') };
  });
}

/** Says at a role's start what the comparison finds; that it cannot be made holds nobody up. */
export async function reportRetention(sources: RetentionSources, logger: Logger): Promise<void> {
  try {
    for (const { level, topic, message, remedy } of compareRetention(await readRetention(sources))) {
      if (level === 'warning') logger.warn({ topic }, `${topic} ${message}: ${remedy}`);
      else logger.info({ topic }, `${topic} ${message}`);
    }
  } catch (err) {
    logger.warn({ err }, 'retention not compared');
  }
}
