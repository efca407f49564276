import avro from 'avsc';
import type { Type } from 'avsc';

/** A record schema as it stands in an .avsc file. */
export interface AvroSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly fields: readonly unknown[];
}

/** The avsc type of a schema. @throws Error when the schema is not valid Avro */
export function avroType(schema: unknown): Type {
  // A copy: avsc keeps parts of what it is given, and our schemas are shared constants.
  return avro.Type.forSchema(structuredClone(schema) as avro.Schema);
}

/** Namespace and name, as Avro compares them. */
export function fullNameOf(schema: AvroSchema): string {
  return schema.namespace ? `${schema.namespace}.${schema.name}` : schema.name;
}

/** A field that does not fit its schema. */
export interface Misfit {
  field: string;
  value: unknown;
  rule: string;
}

/**
 * The first field that does not fit the schema; with `noUndeclaredFields` also one that the schema does not have, which would
 * be left out without a word.
 */
export function firstMisfit(
  type: Type,
  value: unknown,
  options: { noUndeclaredFields?: boolean } = {},
): Misfit | undefined {
  let first: Misfit | undefined;
  type.isValid(value, {
    ...options,
    errorHook: (path, found, expected) => {
      const extra = undeclaredIn(found, expected);
      const rule = ruleOf(expected);
      first ??= extra
        ? { field: [...path, extra.name].join('.'), value: extra.value, rule: 'must be a field of the schema' }
        : { field: path.join('.') || '(record)', value: found, rule };
    },
  });
  return first;
}

function ruleOf(expected: Type): string {
  if (expected instanceof avro.types.EnumType) return `must be one of ${expected.symbols.join(', ')}`;
  return `must be ${expected.typeName.replace(/^(logical|union|abstract):/, '')}`;
}

function undeclaredIn(found: unknown, expected: Type): { name: string; value: unknown } | undefined {
  if (!(expected instanceof avro.types.RecordType) || typeof found !== 'object' || found === null) return undefined;
  const declared = new Set(expected.fields.map(({ name }) => name));
  const [extra] = Object.entries(found).filter(([name]) => !declared.has(name));
  return extra && { name: extra[0], value: extra[1] };
}
