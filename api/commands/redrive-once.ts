import type { Database } from '../../database/database.ts';
import { getDeadLetter } from '../../database/dead-letters.ts';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import { requireTopics } from '../../kafka/admin/topics-there.ts';
import { kafkaUnavailable } from '../../kafka/client/errors.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { redriveLetter } from '../../operations/dead-letters/redrive.ts';
import type { RedriveOptions, RedriveRequest, Redriven } from '../../operations/dead-letters/redrive.ts';
import { encodeReplacement, kindOfTopic } from '../../operations/dead-letters/replacement.ts';
import type { Config } from '../../platform/config/settings.ts';
import type { Resources } from '../../resources/resources.ts';
import { invalid } from '../problem.ts';
import { answerOnceIn } from './answer-once.ts';
import type { Answer, OnceRequest } from './answer-once.ts';

/** What a decision about a dead letter needs. */
interface RedriveDependencies {
  db: Database;
  codec: Codec;
  config: Config;
  redriver: Redriver;
}

interface Wanted {
  id: string;
  by: RedriveRequest;
  /** The corrected record, of an edit. */
  value: Record<string, unknown> | undefined;
}

/** A record that is not acknowledged after so long is given up for now; its decision stays open, and a repeat ends it. */
const SEND_MS = 10_000;

/**
 * Retries or edits a dead letter once for each Idempotency-Key.
 * @throws OmsError OMS_DLQ_UNKNOWN, OMS_DLQ_TOPIC_FOREIGN, OMS_DLQ_DECIDED, OMS_DLQ_DECISION_OPEN, OMS_KAFKA_UNAVAILABLE,
 *   and of an edit what its record breaks
 */
export function redriveOnce(
  deps: RedriveDependencies,
  request: OnceRequest,
  wanted: Wanted,
): Promise<Answer & { replayed: boolean }> {
  return answerOnceIn(deps.db, request, async (keep) => {
    const outcome = await oneByOne(deps, () => redrive(deps, wanted, (tx, redriven) => keep(tx, answerOf(redriven))));
    return answerOf(outcome);
  });
}

function answerOf(redriven: Redriven): Answer {
  if (redriven.outcome === 'refused') return { status: 200, body: redriven };
  return { status: 200, body: { ...redriven, offset: Number(redriven.offset) } };
}

async function redrive(
  { db, codec, config, redriver }: RedriveDependencies,
  { id, by, value }: Wanted,
  onOutcome: NonNullable<RedriveOptions['onOutcome']>,
): Promise<Redriven> {
  const letter = await getDeadLetter(db, id);
  if (!letter) throw new OmsError('OMS_DLQ_UNKNOWN', `there is no dead letter ${id}`);
  const { record } = letter;
  const prefix = config.OMS_PREFIX;
  kindOfTopic(record.topic, prefix);
  const replacement = value ? await encodeReplacement({ codec, prefix }, record, value).catch(asGiven) : null;
  await redriver.assertTopic(record.topic);
  return withPublisher(redriver, (publisher) => redriveLetter({ db, publisher, onOutcome }, id, by, replacement));
}

/** What the record breaks, named as it stands in the request. @throws OmsError OMS_API_REQUEST_INVALID, or the error itself */
function asGiven(error: unknown): never {
  if (!isOmsError(error) || error.retryable || !error.fault) throw error;
  const { field, value, rule } = error.fault;
  throw invalid({ field: ['value', field].filter(Boolean).join('.'), value, rule });
}

/** A publisher waits for a cluster that is away; a request must not. */
async function withPublisher<T>(redriver: Redriver, work: (publisher: Publisher) => Promise<T>): Promise<T> {
  const publisher = await redriver.openPublisher();
  const late = setTimeout(() => void publisher.close({ graceMs: 0 }), SEND_MS);
  try {
    return await work(publisher);
  } finally {
    clearTimeout(late);
    await publisher.close();
  }
}

const last = new WeakMap<Database, Promise<unknown>>();

/** Each holds a connection to the database until Kafka has answered: not more than one of the pool's. */
function oneByOne<T>({ db }: RedriveDependencies, work: () => Promise<T>): Promise<T> {
  const turn = (last.get(db) ?? Promise.resolve()).then(work);
  last.set(
    db,
    turn.catch(() => undefined),
  );
  return turn;
}

/** How dead letters' records are put back on their topics. */
export interface Redriver {
  /** @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING: before a decision is written down */
  assertTopic(topic: string): Promise<void>;
  openPublisher(): Promise<Publisher>;
}

/** Whoever asked waits for it. */
const PATIENCE_MS = 3_000;

/** Connects for each decision anew: they are rare, and the API holds no connection to write with otherwise. */
export function createRedriver(resources: Pick<Resources, 'kafkaConnection' | 'openPublisher'>): Redriver {
  const soon = { ...resources.kafkaConnection(), retries: 1, patienceMs: PATIENCE_MS };
  return {
    assertTopic: (topic) =>
      requireTopics(soon, [topic], 'Write').catch((cause: unknown) => {
        throw kafkaUnavailable('Kafka', cause);
      }),
    openPublisher: () => resources.openPublisher(),
  };
}
