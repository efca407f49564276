import type { Type } from 'avsc';
import { createBoundsCheck } from './avro-bounds.ts';
import type { RegisteredSchema, RegistryPort } from './registry.ts';

/** The schema a value was written with, ready to read. */
export type Writer =
  | { kind: 'avro'; type: Type; check: (bytes: Buffer, from: number) => void }
  | { kind: 'other'; reason: string }
  | { kind: 'unknown' };

export interface SchemaCache {
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
