import avro from 'avsc';
import type { Type, types } from 'avsc';

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

/**
 * Our record type with its unions widened by the branches only the writer knows. A topic's union of events may grow
 * before this version knows the new ones; avsc would then refuse to read anything the newer writer wrote. Read with the
 * widened type, known branches are as ever, and a new one stands under its own name, for the reader to refuse by itself.
 * Without such a branch the reader's own type is returned.
 */
export function widenedFor(reader: Type, writer: Type): Type {
  const [ours, theirs] = [reader as types.RecordType, writer as types.RecordType];
  const fields = ours.fields.map((field) => {
    const type = widenedUnion(field.type, theirs.field(field.name)?.type);
    return { name: field.name, type, ...defaultOf(ours, field.name) };
  });
  if (fields.every(({ name, type }) => ours.field(name)?.type === type)) return reader;
  return avro.Type.forSchema({ type: 'record', name: ours.name ?? '', fields } as unknown as avro.Schema);
}

function widenedUnion(ours: Type, theirs: Type | undefined): Type {
  const [known, written] = [branchesOf(ours), theirs ? branchesOf(theirs) : []];
  const names = new Set(known.map((branch) => branch.branchName));
  const added = written.filter((branch) => !names.has(branch.branchName));
  return known.length === 0 || added.length === 0
    ? ours
    : avro.Type.forSchema([...known, ...added] as unknown as avro.Schema);
}

function branchesOf(type: Type): Type[] {
  return (type as Partial<types.UnwrappedUnionType>).types ?? [];
}

function defaultOf(record: types.RecordType, name: string): { default?: unknown } {
  // avsc answers undefined where there is none; null is a default.
  const value = record.field(name)?.defaultValue() as unknown;
  return value === undefined ? {} : { default: value };
}
