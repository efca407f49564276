import { faultError } from '../../domain/errors.ts';
import type { AvroSchema } from '../../kafka/codec/avro.ts';
import { TOPICS } from '../../kafka/topics.ts';
import type { InputTopic } from '../../kafka/topics.ts';
import { contentOf, parseEvent } from '../../operations/produce/read-events.ts';

type Fields = Record<string, unknown>;

/**
 * A corrected record from a JSON file; what a person may leave out is filled in.
 * @throws OmsError OMS_CLI_INPUT_INVALID, and for an order event whatever rule it breaks
 */
export async function readReplacement(file: string, kind: InputTopic): Promise<Fields> {
  const content = await contentOf(file);
  if (kind === 'orders') return parseEvent(content) as unknown as Fields;
  return withDefaults(TOPICS.find((one) => one.kind === kind)?.schema, objectOf(content));
}

function objectOf(content: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    const rule = `must be JSON: ${error instanceof Error ? error.message : String(error)}`;
    throw faultError('OMS_CLI_INPUT_INVALID', { field: '(file)', value: content, rule });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw faultError('OMS_CLI_INPUT_INVALID', { field: '(file)', value, rule: 'must be a JSON object' });
}

function withDefaults(schema: AvroSchema | undefined, value: Fields): Fields {
  const fields = (schema?.fields ?? []) as { name: string; default?: unknown }[];
  const defaults = fields.flatMap((field) => ('default' in field ? [[field.name, field.default]] : []));
  const at = value['occurredAt'];
  const occurredAt = typeof at === 'string' ? Date.parse(at) : at;
  return { ...(Object.fromEntries(defaults) as Fields), ...value, occurredAt };
}
