import { orUnavailable } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import { matchOutbox } from '../../../database/outbox/outbox-archive.ts';
import type { MatchedEvent } from '../../../database/outbox/outbox-archive.ts';
import type { OutgoingTopic } from '../../../database/outbox/outbox.ts';
import { readNotes, writeNotes } from '../../../database/replays/replay-notes.ts';
import type { ReplayNote } from '../../../database/replays/replay-notes.ts';
import { OmsError } from '../../../domain/errors.ts';
import type { ErrorCode } from '../../../domain/errors.ts';
import { publishedBy } from '../../../kafka/admin/deployment-mark.ts';
import type { ConsumedRecord } from '../../../kafka/consumer/consumer.ts';
import { DEPLOYMENT_HEADER, EVENT_ID_HEADER, REPLAY_HEADER, headerText } from '../../../kafka/headers.ts';
import { readValue } from '../../../orders/intake/validate.ts';
import type { TOLD_CLASSES } from '../classes.ts';
import { filtered } from '../classified.ts';
import type { Classified, Classifier, Judgement, RecordFilter, ToldOptions } from '../classified.ts';

export interface ToldClassifierOptions extends ToldOptions {
  /** The live topic that is read, without prefix; null for the target of a replay, which may hold events of all of them. */
  kind: OutgoingTopic | null;
  prefix: string;
  /** Whose events are looked at; what `filter` leaves out of them still has its place in the order's sequence. */
  ofOrders: RecordFilter;
}

type ToldClass = keyof typeof TOLD_CLASSES;

/** A record beside its event. */
interface Told {
  record: ConsumedRecord;
  event: MatchedEvent | undefined;
}

interface Placed {
  is: ToldClass;
  error?: OmsError | undefined;
}

/**
 * Of events that were told: each is decoded and compared with the outbox, and then stands somewhere among the events of its
 * order that were seen before it. What was seen is kept as notes.
 */
export function createToldClassifier(options: ToldClassifierOptions): Classifier {
  const { ofOrders, notesOf } = options;
  return {
    prepare: async (records) => {
      const wanted = records.filter(({ key }) => ofOrders.takes({ orderId: text(key), key: null, type: null }));
      const told = await orUnavailable(matched(options, wanted));
      await options.codec.prefetch(wanted.map(({ value }) => value));
      const wrong = new Map(told.flatMap((one) => withFault(options, one)));
      return async () => {
        const right = told.filter(({ record }) => !wrong.has(record));
        const { places, notes } = await orUnavailable(placeAll(options, right));
        const found = new Map(
          told.map((one) => [one.record, classified(options, one, wrong.get(one.record) ?? places.get(one.record))]),
        );
        return {
          records: records.map((record) => found.get(record) ?? filtered(record)),
          keep: (tx) => writeNotes(tx, notesOf, notes),
        } satisfies Judgement;
      };
    },
  };
}

async function matched({ db, kind }: ToldClassifierOptions, records: readonly ConsumedRecord[]): Promise<Told[]> {
  const given = records.map(({ headers, key, value, offset }) => ({
    eventId: headerText(headers, EVENT_ID_HEADER) ?? '',
    key: text(key) ?? '',
    ...{ value, offset },
  }));
  const events = await matchOutbox(db, kind, given);
  return records.map((record, i) => ({ record, event: events[i] }));
}

/** What is wrong with a record by itself. On a replay's topic only its event tells which type it should be. */
function withFault(
  { codec, kind, prefix, isForeign }: ToldClassifierOptions,
  { record, event }: Told,
): [ConsumedRecord, Placed][] {
  if (isForeign(record.headers))
    return [[record, { is: 'foreign', error: fault('FOREIGN', publishedBy(record, DEPLOYMENT_HEADER)) }]];
  const topic = kind ?? event?.topic;
  const error = topic === undefined ? null : readValue(codec, prefix + topic, record.value).error;
  if (error) return [[record, { is: 'poison', error }]];
  const named = `event ${headerText(record.headers, EVENT_ID_HEADER) ?? 'without id'}`;
  if (!event) return [[record, { is: 'unknown', error: fault('UNKNOWN', `${named} is not in the outbox`) }]];
  if (event.isSame) return [];
  return [
    [record, { is: 'differs', error: fault('DIFFERS', `${named} has another key or other bytes in the outbox`) }],
  ];
}

type Fault = 'UNKNOWN' | 'FOREIGN' | 'DIFFERS' | 'MISSING' | 'DISORDERED';

const fault = (what: Fault, message: string): OmsError =>
  new OmsError(`OMS_AUDIT_RECORD_${what}` satisfies ErrorCode, message);

/** Where records stand among those of their orders; each is as it is in the outbox. */
async function placeAll(
  options: ToldClassifierOptions,
  told: readonly Told[],
): Promise<{ places: Map<ConsumedRecord, Placed>; notes: ReplayNote<SeenNumbers>[] }> {
  const { db, notesOf, kind } = options;
  const seen = await readSeen(db, notesOf, told);
  const places = new Map<ConsumedRecord, Placed>();
  const touched = new Set<string>();
  for (const { record, event } of told) {
    if (!event) continue;
    // Told again on purpose: that it stands behind later ones is as it should be.
    if (kind !== null && headerText(record.headers, REPLAY_HEADER) !== undefined) {
      places.set(record, { is: 'repeat' });
      continue;
    }
    const { is, seen: now } = placeOf(seen.get(event.orderId), numberOf(options, event), beforeOf(options, event));
    seen.set(event.orderId, now);
    touched.add(event.orderId);
    places.set(record, { is, error: placeFault(is, event) });
  }
  const notes = [...touched].flatMap((subject) => noteOf(subject, seen.get(subject)));
  return { places, notes };
}

const SEEN = 'seen';

function noteOf(subject: string, value: SeenNumbers | undefined): ReplayNote<SeenNumbers>[] {
  return value ? [{ subject, name: SEEN, value }] : [];
}

async function readSeen(
  db: Database,
  notesOf: string | undefined,
  told: readonly Told[],
): Promise<Map<string, SeenNumbers>> {
  const orderIds = told.flatMap(({ event }) => event?.orderId ?? []);
  const notes = await readNotes<SeenNumbers>(db, notesOf, orderIds);
  return new Map(notes.map(({ subject, value }) => [subject, value]));
}

/** The events of all topics together are numbered by version. */
const numberOf = ({ kind }: ToldClassifierOptions, { version, sequence }: MatchedEvent): number =>
  kind === null ? version : sequence;

/** A compacted topic forgets events, and a replay may have left some out: there gaps are as they should be. */
function beforeOf({ kind }: ToldClassifierOptions, { before }: MatchedEvent): number | null {
  return kind === null || kind === 'order-status' ? null : before;
}

function placeFault(is: ToldClass, { sequence, before, topic }: MatchedEvent): OmsError | undefined {
  if (is === 'gap') return fault('MISSING', `number ${sequence} of ${topic} comes without number ${before} before it`);
  if (is === 'disordered') return fault('DISORDERED', `number ${sequence} of ${topic} stands behind a later one`);
  return undefined;
}

function classified(
  { filter }: ToldClassifierOptions,
  { record, event }: Told,
  placed: Placed | undefined,
): Classified {
  const orderId = event?.orderId ?? text(record.key);
  const isMeant = filter.takesRecord(record) && filter.takes({ orderId, key: null, type: event?.type ?? null });
  if (!placed || !isMeant) return filtered(record);
  const eventId = headerText(record.headers, EVENT_ID_HEADER) ?? null;
  return { record, is: placed.is, orderId, eventId, error: placed.error };
}

const text = (key: Buffer | null): string | null => key?.toString() ?? null;

/** What was seen of the numbers that an order's events have on a topic. */
export interface SeenNumbers {
  first: number;
  last: number;
  /** Between the two, and not seen. */
  missing: number[];
}

export type Place = 'told' | 'repeat' | 'gap' | 'disordered';

/**
 * Where a number stands among those seen before it. The first that is seen may be any: a range need not begin with an
 * order's first event. `before`: the number that should have been seen before it; null where gaps are as they should be.
 */
export function placeOf(
  seen: SeenNumbers | undefined,
  number: number,
  before: number | null,
): { is: Place; seen: SeenNumbers } {
  if (!seen) return { is: 'told', seen: { first: number, last: number, missing: [] } };
  const { first, last, missing } = seen;
  if (number > last) {
    const is = before !== null && before > last ? 'gap' : 'told';
    return { is, seen: { first, last: number, missing: [...missing, ...between(last, number)] } };
  }
  if (number < first)
    return { is: 'disordered', seen: { first: number, last, missing: [...between(number, first), ...missing] } };
  if (!missing.includes(number)) return { is: 'repeat', seen };
  return { is: 'disordered', seen: { first, last, missing: missing.filter((one) => one !== number) } };
}

function between(low: number, high: number): number[] {
  return Array.from({ length: high - low - 1 }, (_, i) => low + 1 + i);
}
