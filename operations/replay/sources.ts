import type { Database } from '../../database/database.ts';
import { isTarget } from '../../database/replays/replays.ts';
import type { ReplayOptions } from '../../database/replays/replays.ts';
import { faultError } from '../../domain/errors.ts';
import { replayRules } from '../../domain/replay-modes.ts';
import type { ReplayMode } from '../../domain/replay-modes.ts';
import { foreignTo, readTopicMark } from '../../kafka/admin/deployment-mark.ts';
import type { IsForeign } from '../../kafka/admin/deployment-mark.ts';
import { kafkaUnavailable } from '../../kafka/client/errors.ts';
import { CONSUMER_GROUPS, INPUT_TOPICS, OUTGOING_TOPICS, groupName, topicNames } from '../../kafka/topics.ts';
import type { InputTopic, OutgoingTopic, TopicKind } from '../../kafka/topics.ts';
import { completeMemory } from '../../temporal/retention.ts';
import {
  CARRIER_CLASSES,
  EMITTED_CLASSES,
  LETTER_CLASSES,
  LEVEL_CLASSES,
  ORDER_CLASSES,
  TOLD_CLASSES,
} from './classes.ts';
import type { ReplayClasses } from './classes.ts';
import { createFilter } from './classified.ts';
import type { Classifier } from './classified.ts';
import type { Gate, GateOptions } from './gate.ts';
import { createCarrierClassifier, createCarrierGate } from './inputs/carrier.ts';
import { createOrderClassifier, createOrderGate } from './inputs/orders.ts';
import { createLevelClassifier, createLevelGate } from './inputs/stock.ts';
import { createToldClassifier } from './outputs/events.ts';
import { createLetterClassifier } from './outputs/letters.ts';
import type { ReplayParts } from './parts.ts';

/** Topics whose records are only looked at; those of INPUT_TOPICS can be brought in. */
const OUTPUT_TOPICS = [...OUTGOING_TOPICS, 'orders.dlq'] as const;

/** A topic that is replayed: what its records may be, who tells, and through which gate they go. */
export interface Source {
  /** With prefix. */
  topic: string;
  classes: ReplayClasses;
  /** What has to be known before anything is classified or done. @throws OmsError, retryable, when a part is away */
  load(): Promise<void>;
  /** `notesOf`: the replay for whom a dry run keeps notes; undefined where what is judged is also done. */
  classifier(notesOf: string | undefined): Classifier;
  /** That of the topic's live consumer; absent where nothing is brought in. */
  gate?: (options: GateOptions) => Gate;
  /** Of the topic's live consumer. */
  groupId?: string;
}

/** The classes of a replay's records. */
export function classesOf(mode: ReplayMode, from: string): ReplayClasses {
  if (replayRules(mode).reads === 'outbox') return EMITTED_CLASSES;
  const classes: Partial<Record<string, ReplayClasses>> = {
    ...{ orders: ORDER_CLASSES, 'carrier-updates': CARRIER_CLASSES, 'stock-levels': LEVEL_CLASSES },
    'orders.dlq': LETTER_CLASSES,
  };
  return classes[from] ?? TOLD_CLASSES;
}

/** The name on the cluster of what is read: one of our topics, or the target of a replay, which is named in full. */
export function sourceTopic(prefix: string, from: string): string {
  return topicNames(prefix)[from as TopicKind] ?? from;
}

const isInput = (from: string): from is InputTopic => (INPUT_TOPICS as readonly string[]).includes(from);
const isOutput = (from: string): boolean => (OUTPUT_TOPICS as readonly string[]).includes(from);
const isTold = (from: string): from is OutgoingTopic => (OUTGOING_TOPICS as readonly string[]).includes(from);

/**
 * Only topics that we read can be brought in, and only those be looked at of which the database knows what was told.
 * @throws OmsError OMS_REPLAY_INVALID
 */
export async function assertSource(db: Database, mode: ReplayMode, from: string): Promise<void> {
  if (isInput(from)) return;
  if (replayRules(mode).hasEffect) {
    throw notFrom(from, `must be one of ${INPUT_TOPICS.join(', ')}; others are read with --mode validate`);
  }
  if (isOutput(from) || (await isTarget(db, from))) return;
  const known = [...INPUT_TOPICS, ...OUTPUT_TOPICS].join(', ');
  throw notFrom(from, `must be one of ${known}, or the whole name of a topic that a replay told events on`);
}

const notFrom = (from: string, rule: string) => faultError('OMS_REPLAY_INVALID', { field: 'from', value: from, rule });

/** The topic of a replay. */
export function sourceOf(parts: ReplayParts, mode: ReplayMode, options: ReplayOptions): Source {
  const { from } = options;
  const topic = sourceTopic(parts.config.OMS_PREFIX, from);
  return {
    topic,
    classes: classesOf(mode, from),
    ...(isInput(from) ? INPUTS[from](parts, options) : output(parts, options)),
  };
}

type Part = Omit<Source, 'topic' | 'classes'>;

const noting = (parts: ReplayParts, options: ReplayOptions, notesOf: string | undefined) => ({
  ...{ db: parts.db, codec: parts.codec, filter: createFilter(options), notesOf },
  topic: sourceTopic(parts.config.OMS_PREFIX, options.from),
});

const INPUTS: Record<InputTopic, (parts: ReplayParts, options: ReplayOptions) => Part> = {
  orders: ({ db, codec, config, memory }, options) => ({
    load: () => memory.load(),
    classifier: (notesOf) =>
      createOrderClassifier({
        ...{ db, codec, filter: createFilter(options), topic: topicNames(config.OMS_PREFIX).orders },
        memory: options.allowStale ? completeMemory : memory,
        ...(notesOf === undefined ? {} : { draftsOf: notesOf }),
      }),
    gate: createOrderGate,
    groupId: groupName(config.OMS_PREFIX, CONSUMER_GROUPS.ingest),
  }),
  'carrier-updates': (parts, options) => ({
    // What the news leads to is told on these.
    load: () => parts.codec.load(OUTGOING_TOPICS.map((kind) => topicNames(parts.config.OMS_PREFIX)[kind])),
    classifier: (notesOf) => createCarrierClassifier(noting(parts, options, notesOf)),
    gate: createCarrierGate,
    groupId: groupName(parts.config.OMS_PREFIX, CONSUMER_GROUPS.carrier),
  }),
  'stock-levels': (parts, options) => ({
    load: () => Promise.resolve(),
    classifier: (notesOf) => createLevelClassifier(noting(parts, options, notesOf)),
    gate: createLevelGate,
    groupId: groupName(parts.config.OMS_PREFIX, CONSUMER_GROUPS.stock),
  }),
};

function output(parts: ReplayParts, options: ReplayOptions): Part {
  const { from, orderIds } = options;
  const ofOrders = createFilter({ fromTime: null, toTime: null, types: null, orderIds });
  let isForeign: IsForeign = () => false;
  const load = async (): Promise<void> => {
    const mark = readTopicMark(parts.kafka, parts.admin, parts.config.OMS_PREFIX);
    isForeign = foreignTo(
      await mark.catch((cause: unknown) => {
        throw kafkaUnavailable('whose the topics are cannot be read', cause);
      }),
    );
  };
  const classifier: Part['classifier'] = (notesOf) => {
    const given = { ...noting(parts, options, notesOf), isForeign };
    if (from === 'orders.dlq') return createLetterClassifier(given);
    const kind = isTold(from) ? from : null;
    return createToldClassifier({ ...given, kind, ofOrders, prefix: parts.config.OMS_PREFIX });
  };
  return { load, classifier };
}
