import { TOPICS, subjectOf } from '../../kafka/topics.ts';
import type { Compatibility } from '../../kafka/topics.ts';
import { SATISFIES } from '../setup/subjects.ts';
import type { RegistryAdmin } from '../setup/subjects.ts';
import { fault, ok } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** Check: every subject carries this version's schema, at a level that keeps what we promise. Changes nothing. */
export async function lookAtSubjects({ config, registry }: Parts): Promise<Verdict[]> {
  const admin = await registry();
  const subjects = TOPICS.flatMap(({ kind, schema, compatibility }) =>
    schema && compatibility ? [{ subject: subjectOf(config.OMS_PREFIX + kind), schema, compatibility }] : [],
  );
  const found = await Promise.all(
    subjects.map(({ subject, schema, compatibility }) => lookAt(admin, subject, schema, compatibility)),
  );
  const verdicts = found.flat();
  return verdicts.length > 0 ? verdicts : [ok(`${subjects.length} subjects with the schemas of this version`)];
}

async function lookAt(
  registry: RegistryAdmin,
  subject: string,
  schema: unknown,
  wanted: Compatibility,
): Promise<Verdict[]> {
  const about = `subject ${subject}`;
  if ((await registry.versions(subject)).length === 0)
    return [fault('OMS_REGISTRY_SCHEMA_MISSING', 'does not exist', { about })];
  const level = await registry.level(subject);
  const isLoose = level === undefined || !SATISFIES[wanted].includes(level);
  const drift = `its compatibility is ${level ?? 'the default of the registry'} instead of ${wanted}`;
  return [
    ...(isLoose ? [fault('OMS_SETUP_DRIFT', drift, { about })] : []),
    ...(await lookAtSchema(registry, subject, schema, about)),
  ];
}

async function lookAtSchema(
  registry: RegistryAdmin,
  subject: string,
  schema: unknown,
  about: string,
): Promise<Verdict[]> {
  if ((await registry.idOf(subject, schema)) !== undefined) return [];
  const reasons = await registry.incompatibilities(subject, schema);
  if (reasons.length === 0)
    return [fault('OMS_REGISTRY_SCHEMA_MISSING', "lacks this version's schema, which it would take", { about })];
  const detail = `this version's schema does not fit to those registered: ${reasons.join('; ').slice(0, 300)}`;
  const fix =
    'find out who registered them (SCHEMA_REGISTRY_URL/subjects/…/versions); use another OMS_PREFIX, or delete what is foreign';
  return [fault('OMS_REGISTRY_SCHEMA_INCOMPATIBLE', detail, { about, fix })];
}
