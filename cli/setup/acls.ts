import { groupName, topicNames } from '../../kafka/topics.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import { deploymentTopic } from './topics.ts';

/** What one role does on Kafka. */
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

const OUTGOING: readonly TopicKind[] = ['shipments', 'invoices', 'deliveries', 'order-status'];

/** Topics we read ourselves, on which the publisher puts what was asked for over HTTP. */
const POSTED: readonly TopicKind[] = ['orders', 'carrier-updates'];

const ROLES: Readonly<Record<string, RoleAccess>> = {
  ingest: {
    reads: ['orders', 'carrier-updates', 'stock-levels'],
    writes: ['orders.dlq'],
    groups: ['ingest', 'carrier', 'stock'],
    settings: ['orders', 'orders.dlq'],
  },
  worker: { reads: [], writes: [], groups: [] },
  publisher: { reads: [], writes: [...OUTGOING, ...POSTED], groups: [] },
  api: { reads: [], writes: [], groups: [], lags: { carrier: 'carrier-updates', stock: 'stock-levels' } },
};

/** Topics that know what a restored database may lack. */
const COMPARED: readonly TopicKind[] = ['orders', ...OUTGOING];

/** One line for Kafka's `kafka-acls` tool. */
const acl = (role: string, rest: string): string =>
  `kafka-acls --bootstrap-server "$KAFKA_BROKERS" --add --allow-principal User:oms-${role} ${rest}`;

function linesOf(prefix: string, role: string, access: RoleAccess): string[] {
  const topics = topicNames(prefix);
  const marks = groupName(prefix, 'deployment-');
  return [
    ...access.reads.map((kind) => acl(role, `--operation Read --operation Describe --topic '${topics[kind]}'`)),
    ...access.writes.map((kind) => acl(role, `--operation Write --operation Describe --topic '${topics[kind]}'`)),
    ...access.groups.map((group) =>
      acl(role, `--operation Read --operation Describe --group '${groupName(prefix, group)}'`),
    ),
    ...Object.entries(access.lags ?? {}).flatMap(([group, kind]) => [
      acl(role, `--operation Describe --group '${groupName(prefix, group)}'`),
      acl(role, `--operation Describe --topic '${topics[kind]}'`),
    ]),
    ...(access.settings ?? []).map((kind) => acl(role, `--operation DescribeConfigs --topic '${topics[kind]}'`)),
    // Every role compares the deployment id, and what was told and taken last with what the database knows, at its start:
    // in groups of its own that it deletes again.
    acl(role, `--operation Read --operation Describe --topic '${deploymentTopic(prefix)}'`),
    ...COMPARED.filter((kind) => !access.reads.includes(kind)).map((kind) =>
      acl(role, `--operation Read --operation Describe --topic '${topics[kind]}'`),
    ),
    ...(access.groups.includes('ingest')
      ? []
      : [acl(role, `--operation Describe --group '${groupName(prefix, 'ingest')}'`)]),
    acl(role, `--operation Read --operation Delete --resource-pattern-type prefixed --group '${marks}'`),
    ...(access.writes.length > 0 ? [acl(role, '--operation IdempotentWrite --cluster')] : []),
  ];
}

/** The least each role needs, as `kafka-acls` commands; the principals are `User:oms-<role>`. */
export function aclLines(prefix: string): { role: string; lines: string[] }[] {
  return Object.entries(ROLES).map(([role, access]) => ({ role, lines: linesOf(prefix, role, access) }));
}
