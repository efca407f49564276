import { TOPICS } from '../kafka/topics.ts';
import type { TopicDefinition } from '../kafka/topics.ts';

/** The parts of an Avro schema that the page shows. */
interface Schema {
  type?: SchemaType;
  name?: string;
  doc?: string;
  logicalType?: string;
  fields?: Field[];
  symbols?: string[];
  items?: SchemaType;
}
type SchemaType = string | Schema | SchemaType[];
interface Field {
  name: string;
  type: SchemaType;
  doc?: string;
}

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
How to write to the topics the OMS reads is told in [producing.md](producing.md).`;

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

function keyOf(kind: TopicDefinition['kind']): string {
  if (kind === 'carrier-updates') return 'shipment id';
  if (kind === 'stock-levels') return 'SKU';
  return kind === 'orders.dlq' ? 'as received' : 'order id';
}

function keptFor(config: Readonly<Record<string, string>>): string {
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

| header | example | meaning |
| --- | --- | --- |
| \`ce_specversion\` | \`1.0\` | |
| \`ce_id\` | \`536365/1/ShipmentBooked/1\` | the event id |
| \`ce_type\` | \`oms.ShipmentBooked\` | kind of event |
| \`ce_source\` | \`oms\` | |
| \`ce_time\` | \`2026-01-31T12:00:00.000Z\` | \`occurredAt\` |
| \`ce_subject\` | \`536365\` | order id |
| \`ce_sequence\` | \`3\` | \`sequence\` |
| \`content-type\` | \`application/avro\` | |
| \`traceparent\` | | W3C trace context, where there is one |
| \`oms-replay\` | | only on an event that is sent again on purpose: the id of the replay |`;

const DEAD_LETTERS = `### \`orders.dlq\`

A record that can never be taken, with its original key, value and headers, and these beside them. The dead letter is on its
topic before the next offset is committed.

| header | meaning |
| --- | --- |
| \`oms-dlq-id\` | id of the dead letter; follows from the record, so a repeat has the same |
| \`oms-dlq-error-code\`, \`oms-dlq-error-message\` | why ([errors.md](errors.md)) |
| \`oms-dlq-error-field\`, \`oms-dlq-error-value\`, \`oms-dlq-error-rule\` | the field, its value as received, and the rule it breaks |
| \`oms-dlq-original-topic\`, \`-partition\`, \`-offset\`, \`-timestamp\` | where it stood |
| \`oms-dlq-order-id\`, \`oms-dlq-source\` | whose it is, where that could be read |
| \`oms-dlq-consumer-group\`, \`oms-dlq-attempt\` | who refused it, and at which attempt |
`;

function topicSection({ kind, schema }: TopicDefinition, incoming: boolean): string {
  if (!schema) return '';
  const record = schema as unknown as Schema;
  const records = nested(record);
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

function fieldTable({ fields = [] }: Schema): string {
  if (fields.length === 0) return '(no fields)';
  const rows = fields.map(({ name, type, doc }) => `| \`${name}\` | ${typeText(type)} | ${doc ?? ''} |`);
  return ['| field | type | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function typeText(type: SchemaType): string {
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) {
    const some = type.filter((branch) => branch !== 'null').map(typeText);
    return `${some.join(' or ')}${type.includes('null') ? ', optional' : ''}`;
  }
  if (type.logicalType) return type.logicalType;
  if (type.type === 'array') return `list of ${typeText(type.items ?? '')}`;
  return type.name ? `\`${type.name}\`` : typeText(type.type ?? '');
}

/** Records and enums a record is made of, each once, in the order of their use. */
function nested(record: Schema, seen = new Set<string>()): Schema[] {
  const found: Schema[] = [];
  const visit = (type: SchemaType | undefined): void => {
    if (type === undefined || typeof type === 'string') return;
    if (Array.isArray(type)) return type.forEach(visit);
    if (type.name && !seen.has(type.name)) {
      seen.add(type.name);
      found.push(type, ...(type.fields ? nested(type, seen) : []));
      return;
    }
    visit(type.items);
    if (typeof type.type !== 'string') visit(type.type);
  };
  for (const field of record.fields ?? []) visit(field.type);
  return found;
}
