import pLimit from 'p-limit';
import { orUnavailable } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import { knownNews } from '../../../database/ledger/parked-carrier-news.ts';
import { createEventEncoder } from '../../../database/outbox/outbox.ts';
import { readNotes, writeNotes } from '../../../database/replays/replay-notes.ts';
import type { CarrierUpdate } from '../../../domain/carrier-status.ts';
import { isOmsError } from '../../../domain/errors.ts';
import type { OmsError } from '../../../domain/errors.ts';
import { orderIdOf } from '../../../domain/ids.ts';
import { createCarrierTopic } from '../../../ingest/carrier/handler.ts';
import { createCarrierReceiver } from '../../../ingest/carrier/receiver.ts';
import type { CarrierReceiver } from '../../../ingest/carrier/receiver.ts';
import type { ConsumedRecord } from '../../../kafka/consumer/consumer.ts';
import { previewNews, readUpdate } from '../../../orders/intake/carrier-news.ts';
import type { NewsOutcome } from '../../../orders/intake/carrier-news.ts';
import type { CARRIER_CLASSES } from '../classes.ts';
import { filtered } from '../classified.ts';
import type { Classified, Classifier, Judgement, NotingOptions } from '../classified.ts';
import { gateOffice, noteLetters, nothingDone } from '../gate.ts';
import type { Gate, GateOptions } from '../gate.ts';

type CarrierClass = keyof typeof CARRIER_CLASSES;

interface News {
  record: ConsumedRecord;
  news: CarrierUpdate;
}

interface Judged extends News {
  is: CarrierClass;
  error?: OmsError;
}

/** Orders looked at together. */
const ORDERS_AT_ONCE = 8;

/**
 * Of carriers' news: what its receiver would come to, order by order, by the very decisions that it takes. A dry run judges
 * an order's news behind all that it would have taken in before.
 */
export function createCarrierClassifier(options: NotingOptions): Classifier {
  const { db, codec, filter, notesOf } = options;
  return {
    prepare: async (records) => {
      const taken = records.filter((record) => filter.takesRecord(record));
      await codec.prefetch(taken.map(({ value }) => value));
      const read = taken.map((record) => readUpdate(codec, record));
      const wanted = read.filter((one) => filter.takes(subjectOf(one)));
      const news = wanted.flatMap(({ record, given }) => (given ? [{ record, news: given.news }] : []));
      const known = await orUnavailable(whatIsKnown(db, news));
      const isDone = (one: News): boolean => isDoneWith(known.get(one.news));
      const done = news.filter(isDone).map((one): Judged => ({ ...one, is: 'known' }));
      const poison = wanted.flatMap((one): Classified[] => (one.given ? [] : [poisonOf(one)]));
      return async () => {
        const open = news.filter((one) => !isDone(one));
        const judged = [...done, ...(await orUnavailable(judgeAll(options, open)))];
        const found = new Map([...poison, ...judged.map(classified)].map((one) => [one.record.offset, one]));
        return {
          records: records.map((record) => found.get(record.offset) ?? filtered(record)),
          keep: (tx) => keep(tx, notesOf, judged),
        } satisfies Judgement;
      };
    },
  };
}

type Known = ReadonlyMap<CarrierUpdate, Awaited<ReturnType<typeof knownNews>>[number]>;

async function whatIsKnown(db: Database, open: readonly News[]): Promise<Known> {
  const known = await knownNews(
    db,
    open.map(({ news }) => news),
  );
  return new Map(open.map(({ news }, i) => [news, known[i]]));
}

/** News that was heard and not applied may be applied when it comes again. */
const isDoneWith = (known: Awaited<ReturnType<typeof knownNews>>[number]): boolean =>
  known === 'applied' || known === 'parked';

async function judgeAll(options: NotingOptions, open: readonly News[]): Promise<Judged[]> {
  const { db, notesOf } = options;
  const known = await whatIsKnown(db, open);
  const lanes = [...Map.groupBy(open, ({ news }) => orderIdOf(news.shipmentId))];
  const orderIds = lanes.map(([orderId]) => orderId);
  const notes = await readNotes<CarrierUpdate>(db, notesOf, orderIds);
  const earlier = Map.groupBy(notes, ({ subject }) => subject);
  const limit = pLimit(ORDERS_AT_ONCE);
  const judged = lanes.map(([orderId, lane]) =>
    limit(() => judgeOrder(db, orderId, earlier.get(orderId)?.map(({ value }) => value) ?? [], lane, known)),
  );
  return (await Promise.all(judged)).flat();
}

async function judgeOrder(
  db: Database,
  orderId: string,
  earlier: readonly CarrierUpdate[],
  lane: readonly News[],
  known: Known,
): Promise<Judged[]> {
  const heard = new Set(earlier.map(nameOf));
  const fresh = lane.filter(({ news }) => !isDoneWith(known.get(news)));
  const { outcomes, error } = await previewed(db, orderId, [...earlier, ...fresh.map(({ news }) => news)]);
  const outcomeOf = new Map(fresh.map(({ news }, i) => [news, outcomes[earlier.length + i]]));
  return lane.map((one): Judged => {
    const outcome = outcomeOf.get(one.news);
    const isHeard = heard.has(nameOf(one.news)) || known.get(one.news) !== undefined;
    heard.add(nameOf(one.news));
    return { ...one, is: classOf(outcome, isHeard), ...(error ? { error } : {}) };
  });
}

/** News whose own fault stops it is parked by the topic's consumer, for a deadline. */
async function previewed(
  db: Database,
  orderId: string,
  news: readonly CarrierUpdate[],
): Promise<{ outcomes: NewsOutcome[]; error?: OmsError }> {
  try {
    return { outcomes: await previewNews(db, orderId, news) };
  } catch (error) {
    if (!isOmsError(error) || error.retryable) throw error;
    return { outcomes: news.map(() => 'failed'), error };
  }
}

function classOf(outcome: NewsOutcome | undefined, isHeard: boolean): CarrierClass {
  switch (outcome) {
    case 'applied':
      return 'new';
    case 'unknown':
      return 'unknown';
    case 'late':
      return isHeard ? 'known' : 'late';
    case 'parked':
    case 'failed':
      return isHeard ? 'known' : 'waiting';
    default:
      return isHeard ? 'known' : 'superseded';
  }
}

/** What a real run would have in the database now. */
async function keep(tx: Database, notesOf: string | undefined, judged: readonly Judged[]): Promise<void> {
  const heard = judged.filter(({ is }) => is !== 'known' && is !== 'unknown');
  const notes = heard.map(({ news }) => ({ subject: orderIdOf(news.shipmentId), name: nameOf(news), value: news }));
  await writeNotes(tx, notesOf, notes);
}

const nameOf = ({ shipmentId, updateId }: CarrierUpdate): string => `${shipmentId} ${updateId}`;

type Read = ReturnType<typeof readUpdate>;

function subjectOf({ record, given }: Read) {
  const key = given?.news.shipmentId ?? record.key?.toString() ?? null;
  return { key, orderId: key === null ? null : orderIdOf(key), type: given?.news.status ?? null };
}

function poisonOf(read: Read): Classified {
  const { orderId } = subjectOf(read);
  return { record: read.record, is: 'poison', orderId, eventId: null, error: read.error ?? undefined };
}

function classified({ record, news, is, error }: Judged): Classified {
  return { record, is, orderId: orderIdOf(news.shipmentId), eventId: news.updateId, error };
}

/** What of its shipment each outcome means. News that says nothing new is written down the first time it is heard. */
const EFFECTS: Readonly<Record<string, string>> = {
  applied: 'applied',
  parked: 'parked',
  failed: 'parked',
  late: 'noted',
};
/** The same, of what was judged before the process died and is found to be done. */
const EFFECTS_BEFORE: Readonly<Record<string, string>> = {
  ...{ new: 'applied', superseded: 'noted', late: 'noted', waiting: 'parked' },
};

/** The gate of the topic `carrier-updates`: that of its consumer, whose codec has been loaded. */
export function createCarrierGate(options: GateOptions): Gate {
  const { parts, onStep } = options;
  const { config, db, codec, client, connection } = parts;
  let now = nothingDone();
  const parkingDeadlineMs = config.OMS_PARKING_DEADLINE;
  const count = (): void => undefined;
  const receiver = createCarrierReceiver({
    ...{ db, temporal: client, logger: connection.logger, count, parkingDeadlineMs },
    encoder: createEventEncoder({ codec, prefix: config.OMS_PREFIX }),
  });
  const noting: CarrierReceiver = {
    ...receiver,
    take: async (given, way) => {
      const outcomes = await receiver.take(given, way);
      given.forEach(({ record }, i) => {
        const [offset, outcome] = [BigInt(record?.offset ?? -1), outcomes[i] ?? 'away'];
        // Done before a fault, and now found to be: the first outcome counts.
        if (outcome !== 'away' && !now.outcomes.has(offset)) now.outcomes.set(offset, outcome);
      });
      return outcomes;
    },
  };
  const handle = createCarrierTopic({
    ...{ db, codec, receiver: noting, count, parkingDeadlineMs },
    office: gateOffice(options),
    onDeadLetters: (letters) => noteLetters(now, letters),
  });
  return {
    effectOf: (outcome, is, begunAs) => {
      if (outcome !== 'repeated') return EFFECTS[outcome];
      return begunAs === undefined ? (is === 'superseded' ? 'noted' : undefined) : EFFECTS_BEFORE[begunAs];
    },
    take: async (records, done, signal) => {
      const [first] = records;
      if (!first) return;
      now = done;
      await handle({ topic: first.topic, partition: first.partition, records, finished: () => undefined, signal });
      await onStep('finished');
    },
  };
}
