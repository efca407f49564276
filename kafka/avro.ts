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
