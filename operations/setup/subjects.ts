import { OmsError } from '../../domain/errors.ts';
import { TOPICS, subjectOf } from '../../kafka/topics.ts';
import type { Compatibility } from '../../kafka/topics.ts';
import { createRegistryAdmin } from './registry-admin.ts';
import type { RegistryAdmin } from './registry-admin.ts';
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
