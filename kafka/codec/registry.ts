import avro from 'avsc';
import type { Type } from 'avsc';
import { OmsError } from '../../domain/errors.ts';
import type { AvroSchema } from './avro.ts';
import { createAskRegistry } from './registry-http.ts';
import type { AskRegistry, RegistryOptions } from './registry-http.ts';

export type { RegistryOptions } from './registry-http.ts';

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
