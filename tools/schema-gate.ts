import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';

const SCHEMAS = join(import.meta.dirname, '..', 'schemas');

/** A schema as parsed from its file. */
export type AvscSchema = avro.schema.RecordType & { doc?: string };

/** Name (of the file, without ending) and schema of every .avsc in a folder. */
export function readSchemas(folder: string): Map<string, AvscSchema> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.avsc'));
  return new Map(
    names.map((name) => [
      name.replace('.avsc', ''),
      JSON.parse(readFileSync(join(folder, name), 'utf8')) as AvscSchema,
    ]),
  );
}

export const currentSchemas = (): Map<string, AvscSchema> => readSchemas(SCHEMAS);

/** Every released version with its schemas. */
export function releasedSchemas(): Map<string, Map<string, AvscSchema>> {
  const folders = readdirSync(join(SCHEMAS, 'released'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return new Map(folders.map(({ name }) => [name, readSchemas(join(SCHEMAS, 'released', name))]));
}

/** `backward`: current reads released. `full`: released reads current as well. */
export type Direction = 'backward' | 'full';

/** Why the current schema may not follow the released one; empty when it may. */
export function incompatibilities(current: AvscSchema, released: AvscSchema, direction: Direction): string[] {
  const backward = unreadable('the current schema cannot read what the released one wrote', current, released);
  if (direction === 'backward') return backward;
  return [...backward, ...unreadable('the released schema cannot read what the current one writes', released, current)];
}

function unreadable(what: string, reader: AvscSchema, writer: AvscSchema): string[] {
  const [readerType, writerType] = [reader, writer].map((schema) => avro.Type.forSchema(structuredClone(schema)));
  try {
    readerType?.createResolver(writerType as avro.Type);
    return [];
  } catch (error) {
    return [`${what}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

interface Node {
  type?: unknown;
  name?: string;
  doc?: string;
  fields?: Node[];
  symbols?: string[];
  items?: unknown;
  default?: unknown;
}

/** What breaks the rules of writing a schema: a doc everywhere, a default for each enum, `null` first and by default. */
export function styleFaults(schema: unknown, path = ''): string[] {
  if (Array.isArray(schema)) return schema.flatMap((branch) => styleFaults(branch, path));
  if (typeof schema !== 'object' || schema === null) return [];
  const { type, name = '', doc, fields = [], symbols, items, default: fallback } = schema as Node;
  const at = `${path}${name}`;
  return [
    ...(name !== '' && !doc ? [`${at} has no doc`] : []),
    ...(symbols && !symbols.includes(String(fallback)) ? [`${at} has no default symbol`] : []),
    ...fields.flatMap((field) => fieldFaults(field, `${at}.`)),
    ...styleFaults(type, path),
    ...styleFaults(items, path),
  ];
}

function fieldFaults(field: Node, path: string): string[] {
  const { name = '', type, doc, default: fallback } = field;
  const nullable = Array.isArray(type) && type.includes('null');
  const nullFault = nullable && (type[0] !== 'null' || fallback !== null);
  return [
    ...(doc ? [] : [`${path}${name} has no doc`]),
    ...(nullFault ? [`${path}${name} must be ["null", T] with default null`] : []),
    ...styleFaults(type, `${path}${name}.`),
  ];
}
