import {
  CONSUMER_GROUPS,
  INPUT_TOPICS,
  OUTGOING_TOPICS,
  TOPICS,
  deploymentTopic,
  groupName,
  topicNames,
} from '../../kafka/topics.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import { ownTopic } from '../replay/target.ts';

/** What one role does on Kafka, or an operator by commands. */
interface RoleAccess {
  reads: readonly TopicKind[];
  writes: readonly TopicKind[];
  /** Consumer groups it commits in. */
  groups: readonly string[];
  /** Groups whose lag it tells, with the topic each reads. */
  lags?: Readonly<Record<string, TopicKind>>;
  /** Topics whose settings it judges. */
  settings?: readonly TopicKind[];
}

/** Topics we read ourselves, on which the publisher puts what was asked for over HTTP. */
const POSTED: readonly TopicKind[] = ['orders', 'carrier-updates'];

const ALL: readonly TopicKind[] = TOPICS.map(({ kind }) => kind);

const ROLES: Readonly<Record<string, RoleAccess>> = {
  ingest: {
    reads: INPUT_TOPICS,
    writes: ['orders.dlq'],
    groups: ['ingest', 'carrier', 'stock'],
    settings: ['orders', 'orders.dlq'],
  },
  worker: { reads: [], writes: [], groups: [] },
  publisher: { reads: [], writes: [...OUTGOING_TOPICS, ...POSTED], groups: [] },
  // Dead letters that are retried over HTTP go back to the topics they came from.
  api: { reads: [], writes: INPUT_TOPICS, groups: [], lags: { carrier: 'carrier-updates', stock: 'stock-levels' } },
  // Replays and retried dead letters may go to any topic; the doctor and the audit look at all.
  operator: {
    reads: ALL,
    writes: ALL,
    groups: [],
    lags: { carrier: 'carrier-updates', stock: 'stock-levels' },
    settings: ALL,
  },
};

/** Topics that know what a restored database may lack. */
const COMPARED: readonly TopicKind[] = ['orders', ...OUTGOING_TOPICS];

/** How the groups of operators' commands begin; each deletes its own again. */
const COMMAND_GROUPS = ['audit-', 'replay-', 'tail-'];

/** One line for Kafka's `kafka-acls` tool. */
const acl = (role: string, rest: string): string =>
  `kafka-acls --bootstrap-server "$KAFKA_BROKERS" --add --allow-principal User:oms-${role} ${rest}`;

const passing = (role: string, group: string): string =>
  acl(role, `--operation Read --operation Delete --resource-pattern-type prefixed --group '${group}'`);

function linesOf(prefix: string, role: string, access: RoleAccess): string[] {
  const topics = topicNames(prefix);
  const lags = Object.entries(access.lags ?? {}).flatMap(([group, kind]) => [
    acl(role, `--operation Describe --group '${groupName(prefix, group)}'`),
    ...(access.reads.includes(kind) ? [] : [acl(role, `--operation Describe --topic '${topics[kind]}'`)]),
  ]);
  return [
    ...access.reads.map((kind) => acl(role, `--operation Read --operation Describe --topic '${topics[kind]}'`)),
    ...access.writes.map((kind) => acl(role, `--operation Write --operation Describe --topic '${topics[kind]}'`)),
    ...access.groups.map((group) =>
      acl(role, `--operation Read --operation Describe --group '${groupName(prefix, group)}'`),
    ),
    ...lags,
    ...(access.settings ?? []).map((kind) => acl(role, `--operation DescribeConfigs --topic '${topics[kind]}'`)),
    ...comparisonLines(prefix, role, access),
    ...(role === 'operator' ? commandLines(prefix) : []),
    // Kafka itself takes the right to write a topic for it since 2.8; older brokers, and others of its protocol, may not.
    ...(access.writes.length > 0 ? [acl(role, '--operation IdempotentWrite --cluster')] : []),
  ];
}

/**
 * Every role compares the deployment id, and what was told and taken last with what the database knows, at its start, as the
 * doctor does: in groups of its own that it deletes again.
 */
function comparisonLines(prefix: string, role: string, { reads, groups }: RoleAccess): string[] {
  const topics = topicNames(prefix);
  const unread = COMPARED.filter((kind) => !reads.includes(kind)).map((kind) => topics[kind]);
  return [
    ...[deploymentTopic(prefix), ...unread].map((topic) =>
      acl(role, `--operation Read --operation Describe --topic '${topic}'`),
    ),
    ...(groups.includes('ingest')
      ? []
      : [acl(role, `--operation Describe --group '${groupName(prefix, CONSUMER_GROUPS.ingest)}'`)]),
    passing(role, groupName(prefix, 'deployment-')),
  ];
}

/** What commands need beside the topics of the roles: their groups, topics of replays' own, the broker's clock. */
function commandLines(prefix: string): string[] {
  const role = 'operator';
  const operations = ['Create', 'Read', 'Write', 'Describe', 'DescribeConfigs'].map((name) => `--operation ${name}`);
  return [
    ...COMMAND_GROUPS.map((group) => passing(role, groupName(prefix, group))),
    acl(role, `${operations.join(' ')} --resource-pattern-type prefixed --topic '${ownTopic(prefix, '')}'`),
    acl(role, `--operation DescribeConfigs --topic '${deploymentTopic(prefix)}'`),
    acl(role, '--operation Describe --cluster'),
  ];
}

/** The least each role and an operator need, as `kafka-acls` commands; the principals are `User:oms-<role>`. */
export function aclLines(prefix: string): { role: string; lines: string[] }[] {
  return Object.entries(ROLES).map(([role, access]) => ({ role, lines: linesOf(prefix, role, access) }));
}
