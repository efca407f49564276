import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import type { Type } from 'avsc';
import { OmsError } from '../domain/errors.ts';
import type { AvroSchema } from './avro.ts';

/** What a schema id stands for: an Avro type, or something this system does not read. */
export type RegisteredSchema = { kind: 'avro'; type: Type } | { kind: 'other'; reason: string };

/**
 * The schema registry as the codec needs it. `undefined` means the registry answered that it has no such thing;
 * everything else that goes wrong is the environment's.
 * @throws OmsError OMS_REGISTRY_UNAVAILABLE (retryable)
 */
export interface RegistryPort {
  schemaById(id: number): Promise<RegisteredSchema | undefined>;
  /** The id of exactly this schema under the subject. Never registers. */
  idOf(subject: string, schema: AvroSchema): Promise<number | undefined>;
}

export interface RegistryOptions {
  /** Base of the Confluent-compatible API. */
  url: string;
  clientId?: string;
  auth?: { username: string; password: string };
  /** @default 10 s */
  timeoutMs?: number;
}

/** A registry reached over HTTP. */
export function createRegistry(options: RegistryOptions): RegistryPort {
  const url = options.url.replace(/\/+$/, '');
  const timeoutMs = options.timeoutMs ?? 10_000;
  const client = new SchemaRegistry({
    host: url,
    clientId: options.clientId ?? 'oms',
    auth: options.auth,
    retry: { retries: 2 },
  });
  const answers = createAnswerCheck(url, options.auth, timeoutMs);
  const ask = async <T>(what: string, request: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await within(timeoutMs, request());
    } catch (error) {
      // A 404 of anything but a registry (a wrong path, a proxy) must not turn good events into poison.
      if (isNotFound(error) && (await answers())) return undefined;
      throw unavailable(url, what, error);
    }
  };
  return {
    schemaById: (id) => ask(`schema ${id}`, async () => registered(await client.getSchema(id))),
    idOf: (subject, schema) => ask(`subject ${subject}`, () => client.getRegistryIdBySchema(subject, schema as never)),
  };
}

function registered(schema: unknown): RegisteredSchema {
  if (avro.Type.isType(schema)) return { kind: 'avro', type: schema as Type };
  return { kind: 'other', reason: 'it is not an Avro schema' };
}

function isNotFound(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // The client drops the status of a 404 when it looks a schema up by its text.
  return (error as { status?: number }).status === 404 || error.name === 'ConfluentSchemaRegistryError';
}

/** Asks once whether the address is a registry at all; a yes is remembered. */
function createAnswerCheck(url: string, auth: RegistryOptions['auth'], timeoutMs: number): () => Promise<boolean> {
  let known = false;
  const headers: Record<string, string> = auth
    ? { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }
    : {};
  return async () => {
    if (known) return true;
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${url}/subjects`, { headers, signal }).catch(() => undefined);
    const body: unknown = response?.ok ? await response.json().catch(() => undefined) : undefined;
    known = Array.isArray(body);
    return known;
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function unavailable(url: string, what: string, cause: unknown): OmsError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OmsError('OMS_REGISTRY_UNAVAILABLE', `the registry at ${url} did not answer for ${what}: ${reason}`, {
    cause,
  });
}
