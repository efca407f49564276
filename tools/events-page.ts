import { TOPICS } from '../kafka/topics.ts';
import type { TopicDefinition } from '../kafka/topics.ts';
import { nestedTypes, typeText } from './avro-docs.ts';
import type { Schema } from './avro-docs.ts';
import { DEAD_LETTER_HEADERS, EVENT_HEADERS } from './event-headers.ts';
import type { Header } from './event-headers.ts';

/** docs/events.md: what stands on each topic, from the schemas themselves. */
export function eventsPage(head: string): string {
  const incoming = TOPICS.filter(({ direction, schema }) => direction === 'in' && schema);
  const outgoing = TOPICS.filter(({ direction, schema }) => direction === 'out' && schema);
  const section = (topic: TopicDefinition): string => topicSection(topic, topic.direction === 'in');
  return [
    head,
    INTRODUCTION,
    overview(),
    RULES,
    '## What the OMS reads',
    ...incoming.map(section),
    '## What the OMS publishes',
    ...outgoing.map(section),
    DEAD_LETTERS,
  ].join('\n\n');
}

const INTRODUCTION = `# Events

Every value is Avro in Confluent's wire format: a zero byte, the schema's id in 4 bytes, the record. Schemas stand in the
registry under \`<topic>-value\` and in \`schemas/*.avsc\`. \`OMS_PREFIX\` is put before every topic name.
How to write to the topics the OMS reads is told in [producing.md](producing.md), how to read what it publishes in
[consuming.md](consuming.md). The same for programs: [asyncapi.json](asyncapi.json); to browse: [event-catalogue.html](event-catalogue.html).`;

const DAY_MS = 86_400_000;

function overview(): string {
  const rows = TOPICS.map(({ kind, direction, schema, config, compatibility }) => {
    const cells = [
      `\`${kind}\``,
      direction === 'in' ? 'read' : 'published',
      keyOf(kind),
      schema ? `\`${schema.name}\`` : 'as received',
      keptFor(config),
      compatibility ?? '-',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| topic | | key | record | kept | compatibility |', '| --- | --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

/** What the key of a topic's records is, in words. */
export function keyOf(kind: TopicDefinition['kind']): string {
  if (kind === 'carrier-updates') return 'shipment id';
  if (kind === 'stock-levels') return 'SKU';
  return kind === 'orders.dlq' ? 'as received' : 'order id';
}

/** How long a topic keeps its records, in words. */
export function keptFor(config: Readonly<Record<string, string>>): string {
  const retention = config['retention.ms'];
  if (retention === undefined) return 'compacted';
  return retention === '-1' ? 'for ever' : `${Number(retention) / DAY_MS} days`;
}

const RULES = `## Rules for readers

- **At least once.** An event may stand on its topic more than once. Every repeat has the same event id, key, headers and
  bytes: drop what you have seen, by \`eventId\` (header \`ce_id\`).
- **In order, without gaps.** After dropping repeats, the events of one order on one topic have the \`sequence\` 1, 2, 3 … in
  topic order. A reader that keeps the last sequence per order knows a repeat (not greater) from a gap (more than one more).
- **Across topics** \`version\` orders all events of an order: 1, 2, 3 … over all topics together.
- \`order-status\` is compacted: per order the record with the **highest version** is the state, never the last offset.
- \`eventId\` is the natural key of the fact, \`<orderId>/<subject>/<type>/<ordinal>\`: the subject is \`order\` or the number
  of a fulfillment. The same fact never gets a second id.
- \`occurredAt\` is the database time of the OMS, fixed once. \`cause\` is the id of the incoming event that led to it, or the
  name of a step of the OMS.
- New optional fields and new enum symbols may come at any time; read an unknown symbol as the enum's default, \`Unknown\`.

A reader of one topic needs no more than this:

\`\`\`python
last = {}                                      # order id -> sequence
def is_new(event):
    seen = last.get(event["orderId"], 0)
    if event["sequence"] <= seen:
        return False                           # a repeat
    assert event["sequence"] == seen + 1       # else something is missing
    last[event["orderId"]] = event["sequence"]
    return True
\`\`\`

### Headers of what the OMS publishes

CloudEvents 1.0 in Kafka's binary mode. Routing and dropping repeats need no look into the value.

${headerTable(EVENT_HEADERS)}`;

const DEAD_LETTERS = `### \`orders.dlq\`

A record that can never be taken, with its original key, value and headers, and these beside them. The dead letter is on its
topic before the next offset is committed.

${headerTable(DEAD_LETTER_HEADERS)}

The codes: [errors.md](errors.md).
`;

function headerTable(headers: readonly Header[]): string {
  const cell = (text: string): string => (text ? `\`${text}\`` : '');
  const rows = headers.map(({ name, example, meaning }) => `| \`${name}\` | ${cell(example)} | ${meaning} |`);
  return ['| header | example | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function topicSection({ kind, schema }: TopicDefinition, incoming: boolean): string {
  if (!schema) return '';
  const record = schema as unknown as Schema;
  const records = nestedTypes(record);
  const key = `Key: ${keyOf(kind)}.`;
  return [
    `### \`${kind}\`: \`${record.name}\``,
    `${record.doc ?? ''}${incoming || /key/i.test(record.doc ?? '') ? '' : ` ${key}`}`,
    fieldTable(record),
    ...records.map((one) =>
      one.symbols ? enumText(one) : `**\`${one.name}\`**: ${one.doc ?? ''}\n\n${fieldTable(one)}`,
    ),
  ].join('\n\n');
}

function enumText({ name, symbols = [], doc }: Schema): string {
  const known = symbols.filter((symbol) => symbol !== 'Unknown');
  return `**\`${name}\`**: ${known.map((symbol) => `\`${symbol}\``).join(', ')}. ${doc ?? ''}`;
}

const code = (name: string): string => `\`${name}\``;

function fieldTable({ fields = [] }: Schema): string {
  if (fields.length === 0) return '(no fields)';
  const rows = fields.map(({ name, type, doc }) => `| \`${name}\` | ${typeText(type, code)} | ${doc ?? ''} |`);
  return ['| field | type | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
