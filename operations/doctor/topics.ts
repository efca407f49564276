import type { Admin } from 'kafkajs';
import { isOmsError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import { versionsAtTheFloor } from '../../kafka/admin/api-versions.ts';
import { copiesFaults, topicsThere, wantedCopies } from '../../kafka/admin/topics-there.ts';
import { isTopicRefused, notAuthorized } from '../../kafka/client/errors.ts';
import { TOPICS, subjectOf } from '../../kafka/topics.ts';
import type { Compatibility } from '../../kafka/topics.ts';
import { SATISFIES } from '../setup/subjects.ts';
import type { RegistryAdmin } from '../setup/subjects.ts';
import { configDrift, isEmpty, topicConfig, wantedTopics } from '../setup/topics.ts';
import type { WantedTopic } from '../setup/topics.ts';
import { fault, ok, warning } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** Check: every topic is there, with the settings and partitions it should have. Changes nothing. */
export async function lookAtTopics({ config, kafka }: Parts): Promise<Verdict[]> {
  const { admin } = await kafka();
  const wanted = wantedTopics(config.OMS_PREFIX, config.OMS_TOPIC_PARTITIONS);
  const copies = await wantedCopies(admin, config.OMS_TOPIC_REPLICATION);
  const verdicts = (await Promise.all(wanted.map((topic) => verdictsOf(admin, topic, copies)))).flat();
  return verdicts.length > 0 ? verdicts : [ok(`${wanted.length} topics as they should be`)];
}

const missing = ({ name }: WantedTopic): Verdict =>
  fault('OMS_KAFKA_TOPIC_MISSING', 'does not exist', { about: `topic ${name}` });

/** One that may not be described takes nothing from the others. */
async function verdictsOf(admin: Admin, topic: WantedTopic, copies: number): Promise<Verdict[]> {
  try {
    return (await topicsThere(admin, [topic.name])).has(topic.name)
      ? await lookAtTopic(admin, topic, copies)
      : [missing(topic)];
  } catch (error) {
    if (isTopicRefused(error)) return refused(notAuthorized('DescribeConfigs', topic.name, error), topic);
    if (isOmsError(error)) return refused(error, topic);
    throw error;
  }
}

const refused = ({ code, message }: OmsError, { name }: WantedTopic): Verdict[] => [
  fault(code, message, { about: `topic ${name}` }),
];

async function lookAtTopic(admin: Admin, topic: WantedTopic, copies: number): Promise<Verdict[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic.name] });
  const partitions = topics[0]?.partitions ?? [];
  const { values } = await topicConfig(admin, topic.name);
  return [
    ...leaderless(topic.name, partitions),
    ...(await lookAtPartitions(admin, topic, partitions.length)),
    ...lookAtConfig(topic, values),
    ...copiesFaults(topic.name, partitions, values, copies).map(({ detail, fix }) =>
      fault('OMS_SETUP_DRIFT', detail, { about: `topic ${topic.name}`, fix }),
    ),
  ];
}

async function lookAtPartitions(admin: Admin, topic: WantedTopic, count: number): Promise<Verdict[]> {
  const detail = `has ${count} partitions instead of ${topic.partitions}`;
  const about = `topic ${topic.name}`;
  if (count === topic.partitions) return [];
  // The topic of the deployment's id is ours alone; of the others somebody may want another number.
  const setting = `OMS_TOPIC_PARTITIONS=${count}`;
  if (count > topic.partitions) {
    const fix = `set ${setting} if this is meant: Kafka takes no partitions away`;
    return [warning('OMS_SETUP_DRIFT', `${detail}: keys have moved to other partitions`, { about, fix })];
  }
  const fix = (await isEmpty(admin, topic.name))
    ? './oms setup'
    : `./oms setup --allow-repartition (keys move to other partitions), or set ${setting} if this is meant`;
  return [fault('OMS_SETUP_DRIFT', detail, { about, fix })];
}

function lookAtConfig(topic: WantedTopic, actual: Readonly<Record<string, string>>): Verdict[] {
  const drift = configDrift(topic.config, actual).filter(({ outcome }) => outcome !== 'kept');
  return drift.map(({ outcome, set: [name, value], found }) => {
    const byHand = `kafka-configs --bootstrap-server "$KAFKA_BROKERS" --alter --topic '${topic.name}' --add-config ${name}=${value}`;
    const fix = outcome === 'mended' ? './oms setup' : `${byHand}, once you know why`;
    const detail = `${name} is ${found} instead of ${value}`;
    return fault('OMS_SETUP_DRIFT', detail, { about: `topic ${topic.name}`, fix });
  });
}

/** Check: the brokers answer, speak our versions, and let us in. */
export async function lookAtKafka(parts: Parts): Promise<Verdict[]> {
  const { probes, brokers } = await parts.kafka();
  const away = probes.flatMap((one) => ('error' in one ? [warning(one.error.code, one.error.message)] : []));
  const versions = probes.flatMap((one) => ('versions' in one ? [one.versions] : []));
  const floor = [...new Set(versions.flatMap(versionsAtTheFloor))];
  const margin = floor.length > 0 ? `; at the oldest version the brokers still take: ${floor.join(', ')}` : '';
  return [ok(`${brokers} broker${brokers === 1 ? '' : 's'}, every request in a version both speak${margin}`), ...away];
}

/** Each partition of a topic has a leader. */
function leaderless(topic: string, partitions: { partitionId: number; leader: number }[]): Verdict[] {
  const without = partitions.filter(({ leader }) => leader < 0).map(({ partitionId }) => partitionId);
  if (without.length === 0) return [];
  const detail = `partitions ${without.join(', ')} have no leader: nothing is read from or written to them`;
  return [fault('OMS_KAFKA_UNAVAILABLE', detail, { about: `topic ${topic}` })];
}

/** Check: every subject carries this version's schema, at a level that keeps what we promise. Changes nothing. */
export async function lookAtSubjects({ config, registry }: Parts): Promise<Verdict[]> {
  const admin = await registry();
  const subjects = TOPICS.flatMap(({ kind, schema, compatibility }) =>
    schema && compatibility ? [{ subject: subjectOf(config.OMS_PREFIX + kind), schema, compatibility }] : [],
  );
  const found = await Promise.all(
    subjects.map(({ subject, schema, compatibility }) => lookAtSubject(admin, subject, schema, compatibility)),
  );
  const verdicts = found.flat();
  return verdicts.length > 0 ? verdicts : [ok(`${subjects.length} subjects with the schemas of this version`)];
}

async function lookAtSubject(
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
