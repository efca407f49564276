import { OmsError } from '../../domain/errors.ts';
import { TOPICS, subjectOf } from '../../kafka/topics.ts';
import type { Compatibility } from '../../kafka/topics.ts';
import type { ReportStep } from './steps.ts';

/** Levels that promise at least as much. */
export const SATISFIES: Readonly<Record<Compatibility, readonly string[]>> = {
  BACKWARD_TRANSITIVE: ['BACKWARD_TRANSITIVE', 'FULL_TRANSITIVE'],
  FULL_TRANSITIVE: ['FULL_TRANSITIVE'],
};

/** Registers this version's schemas and sets the subjects' compatibility levels. */
export async function setupSubjects(url: string, prefix: string, report: ReportStep): Promise<void> {
  const registry = createRegistryAdmin(url);
  for (const { kind, schema, compatibility } of TOPICS) {
    if (schema && compatibility) await setupSubject(registry, subjectOf(prefix + kind), schema, compatibility, report);
  }
}

async function setupSubject(
  registry: RegistryAdmin,
  subject: string,
  schema: unknown,
  wanted: Compatibility,
  report: ReportStep,
): Promise<void> {
  const part = `subject ${subject}`;
  const known = await registry.versions(subject);
  // The level comes first where the subject exists, so that the new schema is judged by it.
  const level = known.length > 0 ? await setupLevel(registry, subject, wanted) : undefined;
  const before = await registry.idOf(subject, schema);
  const refusal = before === undefined ? await tryRegister(registry, subject, schema) : undefined;
  if (refusal) return report({ part, outcome: 'drift', detail: refusal });
  if (known.length === 0) await setupLevel(registry, subject, wanted);
  if (level) return report({ part, outcome: 'mended', detail: level });
  const outcome = before === undefined ? 'created' : 'unchanged';
  report({
    part,
    outcome,
    detail: `${wanted}${before === undefined ? ', schema registered' : `, schema id ${before}`}`,
  });
}

async function tryRegister(registry: RegistryAdmin, subject: string, schema: unknown): Promise<string | undefined> {
  try {
    await registry.register(subject, schema);
    return undefined;
  } catch (error) {
    if (error instanceof OmsError && error.code === 'OMS_SETUP_DRIFT') return error.message;
    throw error;
  }
}

/** Returns what was changed, in words. */
async function setupLevel(
  registry: RegistryAdmin,
  subject: string,
  wanted: Compatibility,
): Promise<string | undefined> {
  const found = await registry.level(subject);
  if (found !== undefined && SATISFIES[wanted].includes(found)) return undefined;
  await registry.setLevel(subject, wanted);
  return `compatibility was ${found ?? 'the default of the registry'}; set to ${wanted}`;
}

/** What setting up needs of a Confluent-compatible registry beyond reading schemas. */
export interface RegistryAdmin {
  /** Numbers of the subject's versions; empty when there is no such subject. */
  versions(subject: string): Promise<number[]>;
  /** The id of exactly this schema under the subject. */
  idOf(subject: string, schema: unknown): Promise<number | undefined>;
  /** @throws OmsError OMS_SETUP_DRIFT when it is not compatible with the registered versions */
  register(subject: string, schema: unknown): Promise<void>;
  /** Why the registry, by the subject's level, would not take this schema; empty when it would. */
  incompatibilities(subject: string, schema: unknown): Promise<string[]>;
  /** The subject's own compatibility level, if it has one. */
  level(subject: string): Promise<string | undefined>;
  setLevel(subject: string, level: string): Promise<void>;
}

interface Answer {
  status: number;
  body: unknown;
}

const TIMEOUT_MS = 10_000;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/** Each call throws OmsError OMS_REGISTRY_UNAVAILABLE (retryable) when the registry is away or fails. */
export function createRegistryAdmin(url: string): RegistryAdmin {
  const call = caller(url.replace(/\/+$/, ''));
  const path = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`;
  const schemaBody = (schema: unknown): unknown => ({ schema: JSON.stringify(schema), schemaType: 'AVRO' });
  return {
    versions: async (subject) => ((await call('GET', `${path(subject)}/versions`)).body as number[] | undefined) ?? [],
    idOf: async (subject, schema) => {
      const { body } = await call('POST', path(subject), schemaBody(schema));
      return (body as { id?: number } | undefined)?.id;
    },
    register: async (subject, schema) => {
      const { status, body } = await call('POST', `${path(subject)}/versions`, schemaBody(schema));
      if (status === 409 || status === 422) throw refused(subject, body);
    },
    incompatibilities: async (subject, schema) => {
      const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions?verbose=true`;
      const { body } = await call('POST', path, schemaBody(schema));
      const answer = (body ?? { is_compatible: true }) as { is_compatible: boolean; messages?: string[] };
      return answer.is_compatible ? [] : (answer.messages ?? ['not compatible']);
    },
    level: async (subject) => {
      const { body } = await call('GET', `/config/${encodeURIComponent(subject)}`);
      return (body as { compatibilityLevel?: string } | undefined)?.compatibilityLevel;
    },
    setLevel: async (subject, level) => {
      await call('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility: level });
    },
  };
}

function refused(subject: string, body: unknown): OmsError {
  const reason = (body as { message?: string } | undefined)?.message ?? 'not compatible';
  return new OmsError('OMS_SETUP_DRIFT', `the registry refuses this version's schema of ${subject}: ${reason}`);
}

/** A 404 answers `body: undefined`; 409 and 422 are the caller's to judge. */
function caller(base: string): (method: string, path: string, body?: unknown) => Promise<Answer> {
  return async (method, path, body) => {
    const response = await fetch(base + path, {
      method,
      headers: { 'content-type': CONTENT_TYPE, accept: `${CONTENT_TYPE}, application/json` },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw unavailable(base, error instanceof Error ? (causeOf(error) ?? error.message) : String(error));
    });
    const text = await response.text();
    if (response.status === 404) return { status: 404, body: undefined };
    if (!response.ok && ![409, 422].includes(response.status)) {
      throw unavailable(base, `${method} ${path} answered ${response.status}: ${text.slice(0, 200)}`);
    }
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  };
}

const causeOf = (error: Error): string | undefined =>
  error.cause instanceof Error ? error.cause.message || (error.cause as NodeJS.ErrnoException).code : undefined;

function unavailable(url: string, reason: string): OmsError {
  return new OmsError('OMS_REGISTRY_UNAVAILABLE', `the registry at ${url} (SCHEMA_REGISTRY_URL): ${reason}`);
}
