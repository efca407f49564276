/** The parts of an Avro schema that pages about events show. */
export interface Schema {
  type?: SchemaType;
  name?: string;
  doc?: string;
  logicalType?: string;
  fields?: Field[];
  symbols?: string[];
  items?: SchemaType;
}
export type SchemaType = string | Schema | SchemaType[];
export interface Field {
  name: string;
  type: SchemaType;
  doc?: string;
}

/** A type in words; `named` shows the name of a record or enum. */
export function typeText(type: SchemaType, named: (name: string) => string): string {
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) {
    const some = type.filter((branch) => branch !== 'null').map((branch) => typeText(branch, named));
    return `${some.join(' or ')}${type.includes('null') ? ', optional' : ''}`;
  }
  if (type.logicalType) return type.logicalType;
  if (type.type === 'array') return `list of ${typeText(type.items ?? '', named)}`;
  return type.name ? named(type.name) : typeText(type.type ?? '', named);
}

/** Records and enums a record is made of, each once, in the order of their use. */
export function nestedTypes(record: Schema, seen = new Set<string>()): Schema[] {
  const found: Schema[] = [];
  const visit = (type: SchemaType | undefined): void => {
    if (type === undefined || typeof type === 'string') return;
    if (Array.isArray(type)) return type.forEach(visit);
    if (type.name && !seen.has(type.name)) {
      seen.add(type.name);
      found.push(type, ...(type.fields ? nestedTypes(type, seen) : []));
      return;
    }
    visit(type.items);
    if (typeof type.type !== 'string') visit(type.type);
  };
  for (const field of record.fields ?? []) visit(field.type);
  return found;
}
