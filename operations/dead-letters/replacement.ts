import type { StoredRecord } from '../../database/ledger/records.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { avroType, firstMisfit } from '../../kafka/codec/avro.ts';
import type { AvroSchema } from '../../kafka/codec/avro.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { TOPICS, topicNames } from '../../kafka/topics.ts';
import type { InputTopic } from '../../kafka/topics.ts';
import { readUpdate } from '../../orders/intake/carrier-news.ts';
import { decodeLevels } from '../../orders/intake/levels.ts';
import { decodeRecords } from '../../orders/intake/order-event.ts';
import { objectOf, parseEvent } from '../produce/read-events.ts';

/** What takes the place of a dead letter's key and value. */
export interface Replacement {
  key: string;
  value: Buffer;
}

type Fields = Record<string, unknown>;

interface Rules {
  /** The field that is the record's key. */
  key: string;
  /** Why the gate would refuse it; undefined when it would not. */
  check(codec: Codec, record: ConsumedRecord): Promise<OmsError | undefined>;
}

/** The same functions that judge a fresh record. */
const RULES: Record<InputTopic, Rules> = {
  orders: {
    key: 'orderId',
    check: async (codec, record) => {
      const [read] = await decodeRecords(codec, record.topic, [record]);
      return read?.kind === 'poison' ? read.error : undefined;
    },
  },
  'carrier-updates': {
    key: 'shipmentId',
    check: async (codec, record) => {
      await codec.prefetch([record.value]);
      return readUpdate(codec, record).error ?? undefined;
    },
  },
  'stock-levels': {
    key: 'sku',
    check: async (codec, record) => {
      const [read] = await decodeLevels(codec, record.topic, [record]);
      return read?.kind === 'refused' ? read.error : undefined;
    },
  },
};

/** @throws OmsError OMS_DLQ_TOPIC_FOREIGN for a topic the OMS does not take records from */
export function kindOfTopic(topic: string, prefix: string): InputTopic {
  const names = topicNames(prefix);
  const kind = (Object.keys(RULES) as InputTopic[]).find((one) => names[one] === topic);
  if (kind) return kind;
  throw new OmsError('OMS_DLQ_TOPIC_FOREIGN', `${topic} is none of the topics the OMS takes records from`);
}

/**
 * The bytes of a corrected record: encoded with the schema registered for the dead letter's topic, and checked by the
 * rules that a fresh record is checked by. The key follows from the value.
 * @throws OmsError naming field, value and rule; OMS_DLQ_TOPIC_FOREIGN; OMS_REGISTRY_UNAVAILABLE (retryable)
 */
export async function encodeReplacement(
  options: { codec: Codec; prefix: string },
  record: Pick<StoredRecord, 'topic' | 'partition' | 'offset'>,
  value: Fields,
): Promise<Replacement> {
  const { codec, prefix } = options;
  const { topic, partition, offset } = record;
  const kind = kindOfTopic(topic, prefix);
  requireKnownFields(TOPICS.find((one) => one.kind === kind)?.schema, value);
  await codec.load([topic]);
  const bytes = codec.encode(topic, value);
  const key = String(value[RULES[kind].key]);
  const place = { topic, partition, offset: BigInt(offset), timestamp: Date.now(), headers: {} };
  const error = await RULES[kind].check(codec, { ...place, key: Buffer.from(key), value: bytes });
  if (error) throw error;
  return { key, value: bytes };
}

/**
 * A corrected record from JSON; what a person may leave out is filled in.
 * @throws OmsError OMS_CLI_INPUT_INVALID, and for an order event whatever rule it breaks
 */
export function parseReplacement(content: string, kind: InputTopic): Fields {
  if (kind === 'orders') return parseEvent(content) as unknown as Fields;
  return withDefaults(TOPICS.find((one) => one.kind === kind)?.schema, objectOf(content, '(file)'));
}

function withDefaults(schema: AvroSchema | undefined, value: Fields): Fields {
  const fields = (schema?.fields ?? []) as { name: string; default?: unknown }[];
  const defaults = fields.flatMap((field) => ('default' in field ? [[field.name, field.default]] : []));
  const at = value['occurredAt'];
  const occurredAt = typeof at === 'string' ? Date.parse(at) : at;
  return { ...(Object.fromEntries(defaults) as Fields), ...value, occurredAt };
}

/** A misspelt field would be left out without a word. */
function requireKnownFields(schema: AvroSchema | undefined, value: Fields): void {
  const wrong = schema && firstMisfit(avroType(schema), value, { noUndeclaredFields: true });
  if (wrong) throw faultError('OMS_INGEST_FIELD_INVALID', wrong);
}
