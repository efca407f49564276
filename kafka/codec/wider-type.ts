import avro from 'avsc';
import type { Type, types } from 'avsc';

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
