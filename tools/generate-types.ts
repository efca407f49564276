import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The part of Avro's schema language that schemas/*.avsc uses. */
type Schema = string | Schema[] | NamedSchema;
interface NamedSchema {
  type: Schema;
  name?: string;
  namespace?: string;
  doc?: string;
  fields?: { name: string; type: Schema; doc?: string }[];
  symbols?: string[];
  items?: Schema;
}

const PRIMITIVES: Record<string, string> = {
  string: 'string',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  boolean: 'boolean',
  bytes: 'Buffer',
  null: 'null',
};

/** Turns one avsc into TypeScript: an interface per record, a union of literals per enum, as avsc decodes them. */
class Emitter {
  private readonly out: string[] = [];
  private readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  get text(): string {
    return this.out.join('\n\n');
  }

  type(schema: Schema): string {
    if (typeof schema === 'string') return PRIMITIVES[schema] ?? schema;
    if (Array.isArray(schema)) return this.union(schema);
    if (schema.type === 'record') return this.record(schema);
    if (schema.type === 'enum') return this.enum(schema);
    if (schema.type === 'array') return `${this.element(schema.items ?? 'null')}[]`;
    return this.type(schema.type);
  }

  private element(schema: Schema): string {
    const text = this.type(schema);
    return text.includes('|') ? `(${text})` : text;
  }

  /** avsc leaves `null | T` bare and wraps the branches of a union of several records under their full names. */
  private union(branches: Schema[]): string {
    const records = branches.filter((branch) => branch !== 'null');
    const wrap = records.length > 1;
    return branches.map((branch) => (wrap && branch !== 'null' ? this.wrapped(branch) : this.type(branch))).join(' | ');
  }

  private wrapped(branch: Schema): string {
    const name = this.type(branch);
    return `{ '${this.namespace}.${name}': ${name} }`;
  }

  private record(schema: NamedSchema): string {
    const name = schema.name ?? '';
    const lines = (schema.fields ?? []).map(
      (field) => `  /** ${field.doc ?? ''} */\n  ${field.name}: ${this.type(field.type)};`,
    );
    this.out.push(`/** ${schema.doc ?? ''} */\nexport interface ${name} {\n${lines.join('\n')}\n}`);
    return name;
  }

  private enum(schema: NamedSchema): string {
    const name = schema.name ?? '';
    const list = `export const ${name} = [${(schema.symbols ?? []).map((symbol) => `'${symbol}'`).join(', ')}] as const;`;
    this.out.push(`/** ${schema.doc ?? ''} */\n${list}\nexport type ${name} = (typeof ${name})[number];`);
    return name;
  }
}

/** The generated module of one avsc file: its types, and the schema itself as a constant. */
export function moduleOf(file: string): string {
  const schema = JSON.parse(readFileSync(file, 'utf8')) as NamedSchema;
  const emitter = new Emitter(schema.namespace ?? '');
  const root = emitter.type(schema);
  const constant = `${root.charAt(0).toLowerCase()}${root.slice(1)}Schema`;
  const head = `// Generated from ${basename(file)} by \`npm run generate\`; do not edit.`;
  return `${head}\n\n${emitter.text}\n\nexport const ${constant} = ${JSON.stringify(schema, null, 2)} as const;\n`;
}

/** Path and text of every generated schema module. */
export function generatedTypes(root: string): Map<string, string> {
  const files = readdirSync(join(root, 'schemas'))
    .filter((name) => name.endsWith('.avsc'))
    .sort();
  return new Map(
    files.map((name) => [
      join('schemas', 'generated', name.replace('.avsc', '.ts')),
      moduleOf(join(root, 'schemas', name)),
    ]),
  );
}
