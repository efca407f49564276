import { readFileSync, readdirSync } from 'node:fs';
import type { Command } from 'commander';
import { COMMANDS } from '../../cli/commands.ts';
import type { CommandEntry } from '../../cli/commands.ts';
import { CAUSES, CAUSE_FORMS } from '../../domain/causes.ts';
import {
  ACTIVITIES,
  CUSTOMER_ACTION_SIGNAL,
  LIFECYCLE_SIGNAL,
  NAMESPACE_DEPLOYMENT_KEY,
  ORDERS_TASK_QUEUE,
  ORDER_WORKFLOW,
  PATCHES,
  SHIPMENT_STATUS_SIGNAL,
  STATUS_QUERY,
} from '../../domain/contract.ts';
import { ERRORS } from '../../domain/errors.ts';
import {
  EVENT_TYPES,
  ORDER_SUBJECT,
  POSTED_PREFIX,
  fulfillmentId,
  orderWorkflowId,
  outgoingEventId,
} from '../../domain/ids.ts';
import {
  CUSTOMER_ACTIONS,
  GIVEN_UP_AS,
  MESSAGE_KINDS,
  MESSAGE_RECORDS,
  MESSAGE_VERSION,
  OVERDUES,
} from '../../domain/order-messages.ts';
import { REASONS, REASON_FORMS } from '../../domain/reasons.ts';
import { FULFILLMENT_STATUSES, ORDER_STATUSES, PAYMENT_STATUSES, SHIPMENT_STATUSES } from '../../domain/status.ts';
import { CONTENT_TYPE, DEPLOYMENT_HEADER, DLQ_HEADERS, EVENT_HEADERS, REPLAY_HEADER } from '../../kafka/headers.ts';
import { CONSUMER_GROUPS, TOPICS, deploymentTopic, groupName, subjectOf } from '../../kafka/topics.ts';
import { SETTINGS } from '../../platform/config/settings.ts';
import { EXIT_CODES } from '../../platform/exit-codes.ts';
import { COUNTERS, GAUGES, HISTOGRAMS, ROLE_LABEL } from '../../platform/metric-names.ts';
import { openApiFile } from '../../tools/openapi.ts';
import { openApiNames } from './openapi-names.ts';

/** The texts with a number in place of each thing they name: `operator/<1>/<2>`. */
function formsOf(forms: Readonly<Record<string, (...given: never[]) => string>>): string[] {
  return Object.values(forms).map((form) => {
    const names = Array.from({ length: form.length }, (_, i) => `<${i + 1}>`);
    return form(...(names as never[]));
  });
}

const temporal = (): string[] => [
  `workflow ${ORDER_WORKFLOW}`,
  `workflow id ${orderWorkflowId('<orderId>')}`,
  `task queue ${ORDERS_TASK_QUEUE}`,
  ...[LIFECYCLE_SIGNAL, CUSTOMER_ACTION_SIGNAL, SHIPMENT_STATUS_SIGNAL].map((name) => `signal ${name}`),
  `query ${STATUS_QUERY}`,
  ...ACTIVITIES.map((name) => `activity ${name}`),
  ...Object.values(PATCHES).map((id) => `patch ${id}`),
  `namespace data ${NAMESPACE_DEPLOYMENT_KEY}`,
];

const messages = (): string[] => [
  `version ${MESSAGE_VERSION}`,
  ...Object.values(MESSAGE_KINDS).map((kind) => `kind ${kind}, from the record ${MESSAGE_RECORDS[kind] ?? 'Unknown'}`),
  ...CUSTOMER_ACTIONS.map((action) => `customer action ${action}`),
  ...GIVEN_UP_AS.map((as) => `given up as ${as}`),
];

const statuses = (): string[] =>
  Object.entries({
    order: ORDER_STATUSES,
    fulfillment: FULFILLMENT_STATUSES,
    payment: PAYMENT_STATUSES,
    shipment: SHIPMENT_STATUSES,
    overdue: OVERDUES,
  }).flatMap(([what, names]) => names.map((name) => `${what} ${name}`));

function eventIds(): string[] {
  const { order, ...ofFulfillments } = EVENT_TYPES;
  const fulfillment = fulfillmentId('<orderId>', 1);
  return [
    ...order.map((type) => outgoingEventId('<orderId>', ORDER_SUBJECT, type)),
    ...Object.values(ofFulfillments).flatMap((types) =>
      types.map((type) => outgoingEventId('<orderId>', fulfillment, type)),
    ),
    `${POSTED_PREFIX}<key>/<eventId>`,
  ];
}

const topics = (): string[] => [
  ...TOPICS.map(
    ({ kind, direction, schema }) => `${kind}, ${direction}${schema ? `, subject ${subjectOf(kind)}` : ''}`,
  ),
  deploymentTopic(''),
  ...Object.values(CONSUMER_GROUPS).map((group) => `group ${groupName('', group)}`),
];

interface AvroNode {
  name?: string;
  namespace?: string;
  type?: unknown;
  fields?: { name: string; type: unknown }[];
  symbols?: string[];
  items?: unknown;
}

function avroNames(node: unknown, namespace: string): string[] {
  if (Array.isArray(node)) return node.flatMap((branch) => avroNames(branch, namespace));
  if (typeof node !== 'object' || node === null) return [];
  const { name, namespace: own = namespace, type, fields = [], symbols = [], items } = node as AvroNode;
  const full = `${own}.${name ?? ''}`;
  return [
    ...(name === undefined ? [] : [`${String(type)} ${full}`]),
    ...fields.flatMap((field) => [`${full}.${field.name}`, ...avroNames(field.type, own)]),
    ...symbols.map((symbol) => `${full} = ${symbol}`),
    ...avroNames(items, own),
    ...(name === undefined ? avroNames(type, own) : []),
  ];
}

function schemas(): string[] {
  const folder = new URL('../../schemas/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.avsc'));
  return files.flatMap((file) => avroNames(JSON.parse(readFileSync(new URL(file, folder), 'utf8')), ''));
}

const headers = (): string[] => [
  ...[...Object.values(EVENT_HEADERS), DEPLOYMENT_HEADER, REPLAY_HEADER, ...Object.values(DLQ_HEADERS)],
  `${EVENT_HEADERS.contentType}: ${CONTENT_TYPE}`,
];

const metrics = (): string[] => [
  `label ${ROLE_LABEL}, on all`,
  ...Object.entries({ counter: COUNTERS, gauge: GAUGES, histogram: HISTOGRAMS }).flatMap(([type, group]) =>
    Object.values<{ name: string; labelNames?: readonly string[] }>(group).map(
      ({ name, labelNames = [] }) => `${type} ${name}{${[...labelNames].sort().join(',')}}`,
    ),
  ),
];

function commandNames(path: string, command: Command): string[] {
  const value = ({ required, optional }: { required: boolean; optional: boolean }): string =>
    required ? ' <value>' : optional ? ' [value]' : '';
  return [
    path,
    ...command.registeredArguments.map(
      (one, i) => `${path} argument ${i + 1}, ${one.required ? 'needed' : 'optional'}${one.variadic ? ', many' : ''}`,
    ),
    ...command.options.flatMap((option) =>
      [option.short, option.long].flatMap((flag) => (flag ? [`${path} ${flag}${value(option)}`] : [])),
    ),
  ];
}

async function commands(entries: Readonly<Record<string, CommandEntry>> = COMMANDS, path = 'oms'): Promise<string[]> {
  const names = await Promise.all(
    Object.entries(entries).map(async ([name, entry]) =>
      'commands' in entry
        ? [`${path} ${name}`, ...(await commands(entry.commands, `${path} ${name}`))]
        : commandNames(`${path} ${name}`, (await entry.load()).createCommand()),
    ),
  );
  return names.flat();
}

/** The names of each kind as the code has them now, by the file in test/frozen/0.2.0 that lists those of 0.2.0. */
export const CURRENT: Readonly<Record<string, () => string[] | Promise<string[]>>> = {
  temporal,
  messages,
  statuses,
  'event-ids': eventIds,
  causes: () => [...Object.values(CAUSES), ...formsOf(CAUSE_FORMS)],
  reasons: () => [...Object.values(REASONS), ...formsOf(REASON_FORMS)],
  topics,
  schemas,
  headers,
  metrics,
  http: async () => openApiNames(await openApiFile()),
  cli: commands,
  settings: () => Object.keys(SETTINGS),
  'exit-codes': () => Object.entries(EXIT_CODES).map(([name, code]) => `${code} ${name}`),
  errors: () => Object.entries(ERRORS).map(([code, { retryable }]) => `${code}, retried: ${retryable ? 'yes' : 'no'}`),
};
