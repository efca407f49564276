import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TOPICS, subjectOf } from '../kafka/topics.ts';
import type { TopicDefinition } from '../kafka/topics.ts';
import { DEAD_LETTER_HEADERS, EVENT_HEADERS } from './event-headers.ts';
import type { Header } from './event-headers.ts';
import { keptFor, keyOf } from './events-page.ts';

const AVRO = 'application/vnd.apache.avro+json;version=1.9.0';
const DEAD_LETTER = 'DeadLetter';
const BINDING = '0.5.0';

/** docs/asyncapi.json: every topic, record and header, as an AsyncAPI 3 document. `receive` is what the OMS reads. */
export function asyncApiDocument(root: string): string {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'OMS events',
      version,
      description:
        'Order events in; shipment, invoice, delivery and order status events out. Delivered at least once: every repeat ' +
        'has the same event id and bytes. OMS_PREFIX is put before every address.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/avro',
    servers: { local: localServer() },
    channels: Object.fromEntries(TOPICS.map((topic) => [channelOf(topic), channel(topic)])),
    operations: Object.fromEntries(TOPICS.map((topic) => [operationOf(topic), operation(topic)])),
    components: { messages: Object.fromEntries(TOPICS.map((topic) => [messageOf(topic), message(topic)])) },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const messageOf = ({ schema }: TopicDefinition): string => (schema ? String(schema.name) : DEAD_LETTER);
/** Names of parts may hold no dot. */
const channelOf = ({ kind }: TopicDefinition): string => kind.replaceAll('.', '-');
const pascal = (kind: string): string => kind.replace(/(?:^|[.-])(\w)/g, (_, letter: string) => letter.toUpperCase());
const operationOf = ({ kind, direction }: TopicDefinition): string =>
  `${direction === 'in' ? 'receive' : 'send'}${pascal(kind)}`;

function localServer() {
  const kafka = {
    schemaRegistryUrl: 'http://127.0.0.1:8081/apis/ccompat/v7',
    schemaRegistryVendor: 'confluent',
    bindingVersion: BINDING,
  };
  return {
    host: '127.0.0.1:9092',
    protocol: 'kafka',
    description: 'The local stack of `npm start`.',
    bindings: { kafka },
  };
}

function channel(topic: TopicDefinition) {
  const { kind, partitions, config, schema } = topic;
  const topicConfiguration = Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, name === 'cleanup.policy' ? [value] : Number(value)]),
  );
  return {
    address: kind,
    description: `${schema ? docOf(schema) : 'Records that can never be taken, with the reason.'} Kept: ${keptFor(config)}.`,
    messages: { [messageOf(topic)]: { $ref: `#/components/messages/${messageOf(topic)}` } },
    bindings: { kafka: { topic: kind, partitions, topicConfiguration, bindingVersion: BINDING } },
  };
}

function operation(topic: TopicDefinition) {
  const reference = `#/channels/${channelOf(topic)}`;
  return {
    action: topic.direction === 'in' ? 'receive' : 'send',
    summary: topic.direction === 'in' ? 'The OMS reads it.' : 'The OMS publishes it.',
    channel: { $ref: reference },
    messages: [{ $ref: `${reference}/messages/${messageOf(topic)}` }],
  };
}

function message(topic: TopicDefinition) {
  const { kind, direction, schema } = topic;
  const key = { type: 'string', description: keyOf(kind) };
  const registry = {
    schemaIdLocation: 'payload',
    schemaIdPayloadEncoding: '4',
    schemaLookupStrategy: 'TopicNameStrategy',
  };
  const headers = schema ? (direction === 'out' ? EVENT_HEADERS : []) : DEAD_LETTER_HEADERS;
  return {
    name: messageOf(topic),
    title: messageOf(topic),
    summary: schema ? docOf(schema) : 'The original key, value and headers, and the reason in headers beside them.',
    ...(schema ? { description: `Subject ${subjectOf(kind)}.` } : { contentType: 'application/octet-stream' }),
    ...(headers.length > 0 ? { headers: headersSchema(headers) } : {}),
    ...(schema ? { payload: { schemaFormat: AVRO, schema } } : {}),
    bindings: { kafka: { key, ...(schema ? registry : {}), bindingVersion: BINDING } },
  };
}

function headersSchema(headers: readonly Header[]) {
  const properties = headers.map(({ name, example, meaning }) => [
    name,
    {
      type: 'string',
      ...(meaning ? { description: meaning } : {}),
      ...(example ? { examples: [example] } : {}),
    },
  ]);
  return { type: 'object', properties: Object.fromEntries(properties) as Record<string, unknown> };
}

const docOf = (schema: object): string => ('doc' in schema && typeof schema.doc === 'string' ? schema.doc : '');
