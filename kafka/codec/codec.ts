import type { Type } from 'avsc';
import { OmsError, faultError } from '../../domain/errors.ts';
import { subjectOf } from '../topics.ts';
import { avroType, firstMisfit, fullNameOf } from './avro.ts';
import type { AvroSchema } from './avro.ts';
import type { RegistryPort } from './registry.ts';
import { createSchemaCache } from './schema-cache.ts';
import { decodeWith, schemaIdIn, withHeader } from './topic-reader.ts';
import type { DecodeResult, TopicState } from './topic-reader.ts';

export type { DecodeResult, Decoded, Poison } from './topic-reader.ts';

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
  const cache = createSchemaCache({
    registry: options.registry,
    unknownIdTtlMs: options.unknownIdTtlMs,
    now: options.now,
  });
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
