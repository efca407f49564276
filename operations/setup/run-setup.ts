import type { Connection } from '@temporalio/client';
import { databaseError, orUnavailable } from '../../database/database.ts';
import {
  assertNotRebuilding,
  assertSameDeployment,
  ensureDeploymentId,
  keepEarlierIds,
  markLedgerSince,
} from '../../database/deployment/deployment.ts';
import { migrate } from '../../database/migrate.ts';
import { mendFeed } from '../../database/outbox/outbox-feed.ts';
import { OmsError } from '../../domain/errors.ts';
import { foreignTo } from '../../kafka/admin/deployment-mark.ts';
import { FUNCTIONS } from '../../orders/money/spend.ts';
import { assertNotBehind } from '../../resources/behind.ts';
import { deploymentParts, readMark, readMarks, writeMarks } from '../../resources/deployment.ts';
import type { Parts } from '../../resources/deployment.ts';
import { kafkaError, temporalError } from '../../resources/errors.ts';
import { setUpProviders } from '../../resources/providers.ts';
import type { Resources } from '../../resources/resources.ts';
import { accountForOrders, accountForTopics } from '../../resources/topic-ends.ts';
import { describeNamespace } from '../../temporal/client.ts';
import type { ReportStep, SetupStep } from './steps.ts';
import { setupSubjects } from './subjects.ts';
import { setupTopics } from './topics.ts';

export interface SetupOptions {
  /** The state directory when the parts are those of its local stack: it is marked, and compared, too. */
  stateDir?: string;
  /** Add partitions to topics that hold records. @default false */
  allowRepartition?: boolean;
  /**
   * Mark every place with the id of the database, whatever stands there, and take what ingest has committed as dealt with.
   * @default false
   */
  adopt?: boolean;
}

export interface SetupResult {
  deploymentId: string;
  steps: SetupStep[];
}

/**
 * Brings database, Temporal namespace, topics and subjects to what this version needs. Repeatable: a second run changes
 * nothing. Each thing is reported as it is looked at.
 * @throws OmsError OMS_DEPLOYMENT_MISMATCH, OMS_DATABASE_BEHIND, OMS_REBUILD_UNDER_WAY before anything but the database's tables was touched; OMS_SETUP_DRIFT when
 *   all else is done; a retryable one when a part is away
 */
export async function runSetup(
  resources: Resources,
  report: ReportStep = () => undefined,
  options: SetupOptions = {},
): Promise<SetupResult> {
  const steps: SetupStep[] = [];
  const tell: ReportStep = (step) => {
    steps.push(step);
    report(step);
  };
  const parts = await deploymentParts(resources, options.stateDir);
  const deploymentId = await setupParts(parts, options, tell);
  const drift = steps.filter((step) => step.outcome === 'drift');
  if (drift.length === 0) return { deploymentId, steps };
  throw new OmsError('OMS_SETUP_DRIFT', drift.map(({ part, detail }) => `${part}: ${detail}`).join('\n'));
}

async function setupParts(parts: Parts, options: SetupOptions, report: ReportStep): Promise<string> {
  await setupDatabase(parts, report);
  const mark = await readMark(parts);
  const marks = await readMarks(parts, Promise.resolve(mark));
  if (!options.adopt) assertSameDeployment(marks);
  await assertNotRebuilding(parts.db);
  const id = await ensureDeploymentId(parts.db);
  const told = mark?.id;
  const earlier = await keepEarlierIds(parts.db, id, mark ? [mark.id, ...mark.earlier] : []);
  // Topics that had another ledger hold orders which this one never knew: what of them is new, it cannot tell.
  if (told !== undefined && told !== id) await markLedgerSince(parts.db);
  if (told !== id) await accountForTopics(parts);
  else {
    if (options.adopt) await accountForOrders(parts);
    await assertNotBehind(parts, () => Promise.resolve(foreignTo(mark)));
  }
  if (await mendFeed(parts.db)) report({ part: 'event feed', outcome: 'mended', detail: MENDED_FEED });
  await setupRest(parts, options, report);
  await writeMarks(parts, { id, earlier }, marks);
  const marked = Object.values(marks).every((mark) => mark === id);
  report({ part: 'deployment', outcome: marked ? 'unchanged' : 'created', detail: id });
  return id;
}

const MENDED_FEED = 'the database comes from another server: `/v1/events` would have been silent';

async function setupDatabase({ db }: Parts, report: ReportStep): Promise<void> {
  const ours = await migrate(db, FUNCTIONS).catch((error: unknown) => {
    throw databaseError(error);
  });
  const applied = [...ours, ...(await orUnavailable(setUpProviders(db)))];
  const outcome = applied.length > 0 ? 'created' : 'unchanged';
  report({ part: 'database', outcome, detail: applied.length > 0 ? `applied ${applied.join(', ')}` : 'up to date' });
}

async function setupRest(parts: Parts, options: SetupOptions, report: ReportStep): Promise<void> {
  const { config } = parts;
  const topics = {
    prefix: config.OMS_PREFIX,
    partitions: config.OMS_TOPIC_PARTITIONS,
    replication: config.OMS_TOPIC_REPLICATION,
    allowRepartition: options.allowRepartition ?? false,
  };
  await setupNamespace(parts.temporal, config.TEMPORAL_NAMESPACE, config.OMS_TEMPORAL_RETENTION, report).catch(
    (error: unknown) => {
      throw temporalError(config, error);
    },
  );
  report({
    part: 'search attributes',
    outcome: 'info',
    detail: 'none needed: orders are found by id and in the database',
  });
  await setupTopics(parts.admin, topics, report).catch((error: unknown) => {
    throw kafkaError(config, error);
  });
  await setupSubjects(config.SCHEMA_REGISTRY_URL, config.OMS_PREFIX, report);
  report({
    part: 'retention',
    outcome: 'info',
    detail: '`orders` is kept longer than Temporal keeps closed workflows; the ledger knows every order id for ever',
  });
}

/** Registers the namespace if it is missing; never changes one that exists. */
async function setupNamespace(
  connection: Connection,
  namespace: string,
  retentionMs: number,
  report: ReportStep,
): Promise<void> {
  const part = `namespace ${namespace}`;
  const existing = await describeNamespace(connection, namespace);
  if (existing) {
    const detail = `closed workflows are kept ${inWords(existing.retentionMs)}`;
    return report({ part, outcome: existing.retentionMs < retentionMs ? 'kept' : 'unchanged', detail });
  }
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: Math.round(retentionMs / 1_000) as unknown as Long },
    description: 'Orders of the order management system.',
  });
  await untilUsable(connection, namespace);
  report({ part, outcome: 'created', detail: `closed workflows are kept ${inWords(retentionMs)}` });
}

type Long = NonNullable<
  NonNullable<
    NonNullable<Parameters<Connection['workflowService']['registerNamespace']>[0]>['workflowExecutionRetentionPeriod']
  >['seconds']
>;

/** A server learns of a new namespace only when it next refreshes its list. */
async function untilUsable(connection: Connection, namespace: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function inWords(ms: number): string {
  const hours = ms / 3_600_000;
  return hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`;
}
