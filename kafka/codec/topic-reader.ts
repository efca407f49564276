import type { Type, types } from 'avsc';
import avro from 'avsc';
import { OmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { AvroSchema } from './avro.ts';
import type { Writer } from './schema-cache.ts';

/** A value that holds an event of its topic. */
export interface Decoded<T = unknown> {
  kind: 'event';
  /** The registry's id of the schema it was written with. */
  writerSchemaId: number;
  /** Full name of the writer's schema. */
  fullName: string;
  /** As our schema of the topic reads it. */
  value: T;
}

/** A value that can never be read; `error` says why. Not retryable. */
export interface Poison {
  kind: 'poison';
  error: OmsError;
}

export type DecodeResult<T = unknown> = Decoded<T> | Poison;

/** How a topic's values of one writer schema are read. */
type Reader = { read: (value: Buffer) => unknown; fullName: string } | { refusal: OmsError };

/** What the codec knows of one topic. */
export interface TopicState {
  topic: string;
  schema: AvroSchema;
  type: Type;
  accepts: readonly string[];
  /** The id our own values carry. */
  id: number | undefined;
  readers: Map<number, Reader>;
}

/** Reads one value of the topic. `writerOf` gives the schema of an id that was fetched before. */
export function decodeWith(state: TopicState, writerOf: (id: number) => Writer, value: Buffer | null): DecodeResult {
  if (!value || value.length === 0) return poison('OMS_INGEST_VALUE_EMPTY', 'the record has no value');
  const id = schemaIdIn(value);
  if (id === undefined) return poison('OMS_INGEST_NOT_AVRO', notAvro(value));
  const reader = state.readers.get(id) ?? readerFor(state, id, writerOf(id));
  if ('refusal' in reader) return { kind: 'poison', error: reader.refusal };
  try {
    return { kind: 'event', writerSchemaId: id, fullName: reader.fullName, value: reader.read(value) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return poison('OMS_INGEST_AVRO_CORRUPT', `not a ${reader.fullName} of schema ${id}: ${reason}`);
  }
}

/** Remembered per topic, except what the registry may still come to know. */
function readerFor(state: TopicState, id: number, writer: Writer): Reader {
  if (writer.kind === 'unknown') {
    return { refusal: new OmsError('OMS_INGEST_SCHEMA_UNKNOWN', `the registry does not know schema id ${id}`) };
  }
  const reader = writer.kind === 'avro' ? makeReader(state, id, writer) : foreign(state, id, writer.reason);
  state.readers.set(id, reader);
  return reader;
}

function makeReader(state: TopicState, id: number, writer: Extract<Writer, { kind: 'avro' }>): Reader {
  const fullName = writer.type.name;
  if (!fullName || !state.accepts.includes(fullName)) return foreign(state, id, `its name is ${fullName ?? 'not set'}`);
  const type = widenedFor(state.type, writer.type);
  const resolver = tryResolve(type, writer.type);
  if (resolver instanceof Error) return foreign(state, id, resolver.message);
  const read = (value: Buffer): unknown => {
    writer.check(value, HEADER_BYTES);
    return type.fromBuffer(value.subarray(HEADER_BYTES), resolver);
  };
  return { read, fullName };
}

function tryResolve(reader: Type, writer: Type): ReturnType<Type['createResolver']> | Error {
  try {
    return reader.createResolver(writer);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function foreign(state: TopicState, id: number, reason: string): Reader {
  const expected = state.accepts.join(' or ');
  const message = `schema ${id} may not be on ${state.topic}, which carries ${expected}: ${reason}`;
  return { refusal: new OmsError('OMS_INGEST_SCHEMA_FOREIGN', message) };
}

function poison(code: ErrorCode, message: string): Poison {
  return { kind: 'poison', error: new OmsError(code, message) };
}

function notAvro(value: Buffer): string {
  if (value.length < HEADER_BYTES)
    return `the value has ${value.length} bytes; an Avro value has at least ${HEADER_BYTES}`;
  return `the value starts with byte ${value[0]}, not with the magic byte 0`;
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

/** The magic byte and the schema's id. */
const HEADER_BYTES = 5;
const MAGIC = 0;

/** The schema id a value names; undefined when it is not in Confluent's wire format. */
export function schemaIdIn(value: Buffer): number | undefined {
  if (value.length < HEADER_BYTES || value[0] !== MAGIC) return undefined;
  return value.readUInt32BE(1);
}

/** The encoded record behind its header. */
export function withHeader(schemaId: number, body: Buffer): Buffer {
  const value = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  value[0] = MAGIC;
  value.writeUInt32BE(schemaId, 1);
  body.copy(value, HEADER_BYTES);
  return value;
}
