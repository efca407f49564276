import type { Type } from 'avsc';
import { OmsError, faultError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { subjectOf } from '../topics.ts';
import { avroType, firstMisfit, fullNameOf, widenedFor } from './avro.ts';
import type { AvroSchema } from './avro.ts';
import { createSchemaCache } from './registry.ts';
import type { RegistryPort, Writer } from './registry.ts';

export interface TopicSchema {
  topic: string;
  /** Our schema: what we write, and what we read everything as. */
  schema: AvroSchema;
  /** Full names of the writer schemas the topic may carry. @default our schema's */
  accepts?: readonly string[];
}

export interface CodecOptions {
  registry: RegistryPort;
  schemas: readonly TopicSchema[];
  /** For how long an id the registry does not know is not asked for again. @default 30 s */
  unknownIdTtlMs?: number;
  /** Clock in ms. */
  now?: () => number;
}

/** Avro values in Confluent's wire format: a zero byte, the schema's id in 4 bytes, the record. */
export interface Codec {
  /**
   * Looks up the ids of our schemas, so that `encode` needs no I/O. Default: all topics.
   * @throws OmsError OMS_REGISTRY_SCHEMA_MISSING, or OMS_REGISTRY_UNAVAILABLE (retryable)
   */
  load(topics?: readonly string[]): Promise<void>;
  /**
   * The value's bytes. Does no I/O: it may stand inside a database transaction.
   * @throws OmsError OMS_INGEST_FIELD_INVALID naming the field that does not fit the schema
   */
  encode(topic: string, value: unknown): Buffer;
  /**
   * Fetches what `decode` will need for these values.
   * @throws OmsError OMS_REGISTRY_UNAVAILABLE (retryable)
   */
  prefetch(values: readonly (Buffer | null)[]): Promise<void>;
  /** Reads one value; never does I/O. Its schema id must have been prefetched. */
  decode<T = unknown>(topic: string, value: Buffer | null): DecodeResult<T>;
  /** `prefetch`, then `decode` of each. @throws OmsError OMS_REGISTRY_UNAVAILABLE (retryable) */
  decodeBatch<T = unknown>(topic: string, values: readonly (Buffer | null)[]): Promise<DecodeResult<T>[]>;
}

/** Makes the codec of the given topics. @throws Error when one of our schemas is not valid Avro */
export function createCodec(options: CodecOptions): Codec {
  const topics = new Map(options.schemas.map((given) => [given.topic, topicState(given)]));
  const cache = createSchemaCache(options);
  const stateOf = (topic: string): TopicState => {
    const state = topics.get(topic);
    if (!state) throw new Error(`the codec does not know topic ${topic}`);
    return state;
  };
  const codec: Codec = {
    load: async (names = [...topics.keys()]) => {
      await Promise.all(names.map((name) => loadId(stateOf(name), options.registry)));
    },
    encode: (topic, value) => encodeWith(stateOf(topic), value),
    prefetch: (values) => cache.prefetch(idsIn(values)),
    decode: <T>(topic: string, value: Buffer | null) =>
      decodeWith(stateOf(topic), (id) => cache.get(id), value) as DecodeResult<T>,
    decodeBatch: async <T>(topic: string, values: readonly (Buffer | null)[]) => {
      await cache.prefetch(idsIn(values));
      return values.map((value) => codec.decode<T>(topic, value));
    },
  };
  return codec;
}

function topicState(given: TopicSchema): TopicState {
  const accepts = given.accepts ?? [fullNameOf(given.schema)];
  return { ...given, type: avroType(given.schema), accepts, id: undefined, readers: new Map() };
}

async function loadId(state: TopicState, registry: RegistryPort): Promise<void> {
  const subject = subjectOf(state.topic);
  const id = await registry.idOf(subject, state.schema);
  if (id === undefined) {
    const name = fullNameOf(state.schema);
    throw new OmsError(
      'OMS_REGISTRY_SCHEMA_MISSING',
      `this version's schema of ${name} is not registered under ${subject}: run \`oms setup\``,
    );
  }
  state.id = id;
}

function encodeWith(state: TopicState, value: unknown): Buffer {
  if (state.id === undefined) throw new Error(`the schema id of ${state.topic} is not loaded: call load() first`);
  let body: Buffer;
  try {
    body = state.type.toBuffer(value);
  } catch (error) {
    throw misfit(state.type, value) ?? error;
  }
  return withHeader(state.id, body);
}

/** The first field that does not fit the schema, as an error that names it. */
function misfit(type: Type, value: unknown): OmsError | undefined {
  const first = firstMisfit(type, value);
  return first && faultError('OMS_INGEST_FIELD_INVALID', first);
}

function* idsIn(values: readonly (Buffer | null)[]): Iterable<number> {
  for (const value of values) {
    const id = value && schemaIdIn(value);
    if (typeof id === 'number') yield id;
  }
}

/** A value that holds an event of its topic. */
interface Decoded<T = unknown> {
  kind: 'event';
  /** The registry's id of the schema it was written with. */
  writerSchemaId: number;
  /** Full name of the writer's schema. */
  fullName: string;
  /** As our schema of the topic reads it. */
  value: T;
}

/** A value that can never be read; `error` says why. Not retryable. */
interface Poison {
  kind: 'poison';
  error: OmsError;
}

export type DecodeResult<T = unknown> = Decoded<T> | Poison;

/** How a topic's values of one writer schema are read. */
type Reader = { read: (value: Buffer) => unknown; fullName: string } | { refusal: OmsError };

/** What the codec knows of one topic. */
interface TopicState {
  topic: string;
  schema: AvroSchema;
  type: Type;
  accepts: readonly string[];
  /** The id our own values carry. */
  id: number | undefined;
  readers: Map<number, Reader>;
}

/** Reads one value of the topic. `writerOf` gives the schema of an id that was fetched before. */
function decodeWith(state: TopicState, writerOf: (id: number) => Writer, value: Buffer | null): DecodeResult {
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

/** The magic byte and the schema's id. */
const HEADER_BYTES = 5;
const MAGIC = 0;

/** The schema id a value names; undefined when it is not in Confluent's wire format. */
function schemaIdIn(value: Buffer): number | undefined {
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
