import avro from 'avsc';
import type { Type } from 'avsc';
import { OmsError } from '../../domain/errors.ts';
import { createBoundsCheck } from './avro-bounds.ts';
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

/** A registry with Confluent's API, reached over HTTP. */
export function createRegistry(options: RegistryOptions): RegistryPort {
  const ask = createAskRegistry(options);
  return {
    schemaById: async (id) => {
      const found = await ask(`/schemas/ids/${id}`);
      return found && toType(found, ask);
    },
    idOf: async (subject, schema) => {
      const found = await ask(`/subjects/${encodeURIComponent(subject)}`, { schema: JSON.stringify(schema) });
      if (found && typeof found.id !== 'number') throw malformed(`the id of ${subject}`);
      return found?.id as number | undefined;
    },
  };
}

interface Reference {
  subject: string;
  version: number;
}

async function toType(found: Record<string, unknown>, ask: AskRegistry): Promise<RegisteredSchema> {
  if ((found.schemaType ?? 'AVRO') !== 'AVRO') return { kind: 'other', reason: 'it is not an Avro schema' };
  const names = {};
  const texts = [...(await referenced(found, ask, new Set())), schemaText(found)];
  try {
    // Named types of the references first; the last one is the schema itself.
    const types = texts.map((text) => avro.Type.forSchema(JSON.parse(text) as avro.Schema, { registry: names }));
    const type = types.at(-1);
    return type ? { kind: 'avro', type } : { kind: 'other', reason: 'it is empty' };
  } catch (error) {
    return { kind: 'other', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Texts of the schemas another one refers to, each after those it needs itself. */
async function referenced(found: Record<string, unknown>, ask: AskRegistry, seen: Set<string>): Promise<string[]> {
  const texts: string[] = [];
  for (const { subject, version } of (found.references ?? []) as Reference[]) {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    if (seen.has(path)) continue;
    seen.add(path);
    const part = await ask(path);
    if (!part) continue; // the schema then names a type nobody knows, and is refused as unreadable
    texts.push(...(await referenced(part, ask, seen)), schemaText(part));
  }
  return texts;
}

function schemaText(found: Record<string, unknown>): string {
  if (typeof found.schema !== 'string') throw malformed('a schema');
  return found.schema;
}

function malformed(what: string): OmsError {
  return new OmsError('OMS_REGISTRY_UNAVAILABLE', `the registry's answer does not hold ${what}`);
}

interface RegistryOptions {
  /** Base of the Confluent-compatible API. */
  url: string;
  auth?: { username: string; password: string };
  /** @default 10 s */
  timeoutMs?: number;
}

/** Asks the registry; `undefined` means that it has no such thing. */
type AskRegistry = (path: string, body?: object) => Promise<Record<string, unknown> | undefined>;

/** How a registry says that it has no such subject, version or schema. */
const NOT_FOUND_CODES = new Set<unknown>([40401, 40402, 40403]);
const ATTEMPTS = 3;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/**
 * Requests to a registry. Only the registry's own word makes a "no such thing": a 404 of a wrong path or a proxy, a page
 * in the place of an answer and silence are faults of the environment, or good events would be taken for poison.
 */
function createAskRegistry(options: RegistryOptions): AskRegistry {
  const url = options.url.replace(/\/+$/, '');
  const headers = { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE, ...authorization(options.auth) };
  return async (path, body) => {
    let reason = '';
    for (let n = 1; n <= ATTEMPTS; n++) {
      const signal = AbortSignal.timeout(options.timeoutMs ?? 10_000);
      const request = body ? { method: 'POST', body: JSON.stringify(body) } : {};
      const answer = await fetch(url + path, { ...request, headers, signal }).then(read, failed);
      if ('found' in answer) return answer.found;
      reason = answer.reason;
      if (!answer.again) break;
    }
    throw new OmsError('OMS_REGISTRY_UNAVAILABLE', `the registry at ${url} did not answer ${path}: ${reason}`);
  };
}

type Answer = { found: Record<string, unknown> | undefined } | { reason: string; again: boolean };

async function read(response: Response): Promise<Answer> {
  const body = (await response.json().catch(() => undefined)) as Record<string, unknown> | undefined;
  const isObject = typeof body === 'object' && body !== null;
  if (response.ok && isObject) return { found: body };
  if (response.status === 404 && isObject && NOT_FOUND_CODES.has(body.error_code)) return { found: undefined };
  return { reason: `status ${response.status}${isObject ? '' : ' without JSON'}`, again: response.status >= 500 };
}

function failed(error: unknown): Answer {
  const { name, cause, message } = error as Error;
  const reason = (cause as Error | undefined)?.message ?? message;
  // A timeout has used its time up; a refused connection may be a restart.
  return { reason, again: name !== 'TimeoutError' };
}

function authorization(auth: RegistryOptions['auth']): Record<string, string> {
  if (!auth) return {};
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
}

/** The schema a value was written with, ready to read. */
export type Writer =
  | { kind: 'avro'; type: Type; check: (bytes: Buffer, from: number) => void }
  | { kind: 'other'; reason: string }
  | { kind: 'unknown' };

interface SchemaCache {
  /** Fetches the ids that are not known yet, each once. @throws OmsError OMS_REGISTRY_UNAVAILABLE (retryable) */
  prefetch(ids: Iterable<number>): Promise<void>;
  /** @throws Error when the id was not prefetched */
  get(id: number): Writer;
}

/** A flood of invented ids must not fill the memory. */
const MAX_UNKNOWN = 10_000;
const DEFAULT_TTL_MS = 30_000;
const CONCURRENT_REQUESTS = 8;

/** Keeps every schema for good (ids never change their meaning) and, for a while, that an id is unknown. */
export function createSchemaCache(options: {
  registry: RegistryPort;
  unknownIdTtlMs?: number;
  now?: () => number;
}): SchemaCache {
  const ttl = options.unknownIdTtlMs ?? DEFAULT_TTL_MS;
  const now = options.now ?? Date.now;
  const known = new Map<number, Writer>();
  /** Unknown ids, and when to ask again. */
  const unknown = new Map<number, number>();
  const asking = new Map<number, Promise<void>>();

  const fetchOne = async (id: number): Promise<void> => {
    const found = await options.registry.schemaById(id);
    if (found) {
      known.set(id, writerOf(found));
      unknown.delete(id);
    } else remember(unknown, id, now() + ttl);
  };
  const ask = (id: number): Promise<void> => {
    const running = asking.get(id) ?? fetchOne(id).finally(() => asking.delete(id));
    asking.set(id, running);
    return running;
  };
  const isMissing = (id: number): boolean => !known.has(id) && (unknown.get(id) ?? -Infinity) <= now();

  return {
    prefetch: async (ids) => {
      const missing = new Set<number>();
      let last: number | undefined;
      for (const id of ids) {
        if (id !== last && isMissing(id)) missing.add(id);
        last = id;
      }
      if (missing.size > 0) await inTurns([...missing], ask);
    },
    get: (id) => {
      const writer = known.get(id) ?? (unknown.has(id) ? ({ kind: 'unknown' } as const) : undefined);
      if (!writer) throw new Error(`schema id ${id} was not prefetched`);
      return writer;
    },
  };
}

function remember(unknown: Map<number, number>, id: number, until: number): void {
  unknown.delete(id);
  unknown.set(id, until);
  if (unknown.size <= MAX_UNKNOWN) return;
  const [oldest] = unknown.keys();
  if (oldest !== undefined) unknown.delete(oldest);
}

function writerOf(schema: RegisteredSchema): Writer {
  if (schema.kind === 'other') return schema;
  try {
    return { kind: 'avro', type: schema.type, check: createBoundsCheck(schema.type) };
  } catch (error) {
    return { kind: 'other', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function inTurns(ids: number[], ask: (id: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < ids.length; from += CONCURRENT_REQUESTS) {
    await Promise.all(ids.slice(from, from + CONCURRENT_REQUESTS).map(ask));
  }
}
