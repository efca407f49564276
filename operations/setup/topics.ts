import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { copiesFaults, minInsync, topicsThere, wantedCopies } from '../../kafka/admin/topics-there.ts';
import type { CopiesFault } from '../../kafka/admin/topics-there.ts';
import { TOPICS, deploymentTopic } from '../../kafka/topics.ts';
import type { ReportStep } from './steps.ts';

// A name that Node cannot see among the exports of a CommonJS module.
const { ConfigResourceTypes } = kafkajs;

/** A topic as it should be on the cluster. */
export interface WantedTopic {
  name: string;
  partitions: number;
  config: Readonly<Record<string, string>>;
}

export interface TopicSettings {
  prefix: string;
  partitions: number;
  /** 0: three, or as many as there are brokers. */
  replication: number;
  /** Add partitions to topics that hold records: keys move to other partitions. */
  allowRepartition: boolean;
}

/** Every topic of a deployment. */
export function wantedTopics(prefix: string, partitions: number): WantedTopic[] {
  const topics = TOPICS.map(({ kind, config }) => ({ name: prefix + kind, partitions, config }));
  return [...topics, { name: deploymentTopic(prefix), partitions: 1, config: { 'cleanup.policy': 'compact' } }];
}

/** Creates what is missing, mends what can be mended without losing or moving a record, reports the rest. */
export async function setupTopics(admin: Admin, settings: TopicSettings, report: ReportStep): Promise<void> {
  const wanted = wantedTopics(settings.prefix, settings.partitions);
  const existing = await topicsThere(
    admin,
    wanted.map(({ name }) => name),
  );
  const copies = await wantedCopies(admin, settings.replication);
  await createTopics(
    admin,
    copies,
    wanted.filter((topic) => !existing.has(topic.name)),
    report,
  );
  for (const topic of wanted.filter(({ name }) => existing.has(name))) {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic.name] });
    const partitions = topics[0]?.partitions ?? [];
    const actual = await topicConfig(admin, topic.name);
    const changes = [
      await setupPartitions(admin, settings, { topic, count: partitions.length }, report),
      await setupConfig(admin, topic, actual, report),
      reportCopies(topic, copiesFaults(topic.name, partitions, actual.values, copies), report),
    ];
    if (!changes.includes(true))
      report({ part: `topic ${topic.name}`, outcome: 'unchanged', detail: described(topic) });
  }
}

async function createTopics(
  admin: Admin,
  replicationFactor: number,
  topics: readonly WantedTopic[],
  report: ReportStep,
): Promise<void> {
  if (topics.length === 0) return;
  await admin.createTopics({
    waitForLeaders: false,
    topics: topics.map(({ name, partitions, config }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries({ ...config, ...minInsync(replicationFactor) }).map(([key, value]) => ({
        name: key,
        value,
      })),
    })),
  });
  await untilUsable(
    admin,
    topics.map(({ name }) => name),
  );
  for (const topic of topics) report({ part: `topic ${topic.name}`, outcome: 'created', detail: described(topic) });
}

const USABLE_WITHIN_MS = 60_000;

/** A broker learns of a new topic only after a while, and until then answers that there is none, or that it leads none. */
async function untilUsable(admin: Admin, topics: string[]): Promise<void> {
  const deadline = performance.now() + USABLE_WITHIN_MS;
  for (;;) {
    try {
      const { topics: found } = await admin.fetchTopicMetadata({ topics });
      if (found.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))) {
        await Promise.all(topics.map((topic) => logEnds(admin, topic)));
        return;
      }
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    if (performance.now() > deadline) throw new Error(`no leader for ${topics.join(', ')} yet`);
    await sleep(100);
  }
}

function described({ partitions, config }: WantedTopic): string {
  const retention = config['retention.ms'];
  const days = retention === '-1' ? 'kept for ever' : `kept ${Number(retention) / 86_400_000} days`;
  return `${partitions} partition${partitions === 1 ? '' : 's'}, ${retention === undefined ? 'compacted' : days}`;
}

/** Returns whether there was anything to say. */
async function setupPartitions(
  admin: Admin,
  settings: TopicSettings,
  { topic, count }: { topic: WantedTopic; count: number },
  report: ReportStep,
): Promise<boolean> {
  const part = `topic ${topic.name}`;
  if (count === topic.partitions) return false;
  const differs = `${count} partitions instead of ${topic.partitions}`;
  if (count > topic.partitions) {
    report({ part, outcome: 'kept', detail: `${differs}: harmless, and Kafka cannot take partitions away` });
    return true;
  }
  if (!settings.allowRepartition && !(await isEmpty(admin, topic.name))) {
    const remedy =
      'it holds records, whose keys would move: --allow-repartition adds them, or set OMS_TOPIC_PARTITIONS';
    report({ part, outcome: 'drift', detail: `${differs}; ${remedy}` });
    return true;
  }
  await admin.createPartitions({ topicPartitions: [{ topic: topic.name, count: topic.partitions }] });
  await untilUsable(admin, [topic.name]);
  report({ part, outcome: 'mended', detail: `had ${differs}; they were added` });
  return true;
}

/** Whether the topic holds no record, and never did. */
export async function isEmpty(admin: Admin, topic: string): Promise<boolean> {
  return (await logEnds(admin, topic)).every(({ high }) => high === '0');
}

async function setupConfig(
  admin: Admin,
  topic: WantedTopic,
  actual: Awaited<ReturnType<typeof topicConfig>>,
  report: ReportStep,
): Promise<boolean> {
  const faults = configDrift(topic.config, actual.values);
  for (const { outcome, detail } of faults) report({ part: `topic ${topic.name}`, outcome, detail });
  const mended = Object.fromEntries(faults.flatMap(({ outcome, set }) => (outcome === 'mended' ? [set] : [])));
  if (Object.keys(mended).length > 0) await setConfig(admin, topic.name, { ...actual.ownValues, ...mended });
  return faults.length > 0;
}

function reportCopies({ name }: WantedTopic, faults: readonly CopiesFault[], report: ReportStep): boolean {
  for (const { detail, fix } of faults)
    report({ part: `topic ${name}`, outcome: 'drift', detail: `${detail}; ${fix}` });
  return faults.length > 0;
}

/** Values in force, and among them those set on the topic itself. */
export async function topicConfig(
  admin: Admin,
  topic: string,
): Promise<{ values: Record<string, string>; ownValues: Record<string, string> }> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources[0]?.configEntries ?? [];
  const TOPIC_SOURCE = 1;
  const pairs = (list: typeof entries): Record<string, string> =>
    Object.fromEntries(list.map(({ configName, configValue }) => [configName, configValue]));
  const isOwn = (entry: (typeof entries)[number]): boolean => Number(entry.configSource) === TOPIC_SOURCE;
  return { values: pairs(entries), ownValues: pairs(entries.filter(isOwn)) };
}

/** Kafka replaces all of a topic's own settings by what is sent, so what it has must be among it. */
async function setConfig(admin: Admin, topic: string, config: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  });
}

/** A setting that differs, and what is done about it. */
interface ConfigDrift {
  outcome: 'mended' | 'kept' | 'drift';
  detail: string;
  /** Name and value to set where it is mended. */
  set: [name: string, value: string];
  /** The value it has. */
  found: string;
}

/** Settings where a larger value keeps more than promised: raised when too small, left alone when larger. */
const AT_LEAST = new Set(['retention.ms', 'max.message.bytes']);
/** `-1` is "for ever". */
const size = (value: string): number => (value === '-1' ? Infinity : Number(value));

/** How a topic's settings differ from those it should have. */
export function configDrift(
  wanted: Readonly<Record<string, string>>,
  actual: Readonly<Record<string, string | undefined>>,
): ConfigDrift[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const found = actual[name];
    return found === undefined || found === value ? [] : [judge(name, value, found)];
  });
}

function judge(name: string, value: string, found: string): ConfigDrift {
  const detail = `${name} is ${found} instead of ${value}`;
  const set: [string, string] = [name, value];
  if (!AT_LEAST.has(name))
    return { outcome: 'drift', detail: `${detail}; set it on the topic once you know why`, set, found };
  if (size(found) > size(value)) return { outcome: 'kept', detail: `${detail}: keeps more than needed`, set, found };
  return { outcome: 'mended', detail: `${name} was ${found}; raised to ${value}`, set, found };
}
