import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { orUnavailable } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import { knownStates, lookUp } from '../../../database/ledger/ledger.ts';
import type { LedgerView } from '../../../database/ledger/ledger.ts';
import { hasDrafts, readDrafts, writeDrafts } from '../../../database/replays/replay-notes.ts';
import type { Draft } from '../../../database/replays/replay-notes.ts';
import { ORDERS_TASK_QUEUE } from '../../../domain/contract.ts';
import { FINGERPRINT_VERSION } from '../../../domain/order.ts';
import { createChunkHandler } from '../../../ingest/orders/handler.ts';
import type { Codec } from '../../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../../kafka/consumer/consumer.ts';
import { createAdmission } from '../../../orders/intake/admission.ts';
import type { Admission } from '../../../orders/intake/admission.ts';
import { judge, orderViews } from '../../../orders/intake/judge.ts';
import type { Verdict } from '../../../orders/intake/judge.ts';
import { decodeRecords } from '../../../orders/intake/order-event.ts';
import type { IncomingEvent, PoisonMessage } from '../../../orders/intake/order-event.ts';
import { createOrderWorkflows, timersOf } from '../../../temporal/order-workflows.ts';
import { completeMemory } from '../../../temporal/retention.ts';
import type { Memory } from '../../../temporal/retention.ts';
import { classOf, classOfKnown } from '../classes.ts';
import type { ORDER_CLASSES } from '../classes.ts';
import type { Classified, Classifier, Judgement, RecordFilter } from '../classified.ts';
import { gateOffice, noteLetters, nothingDone } from '../gate.ts';
import type { Gate, GateOptions } from '../gate.ts';
import type { OnWait } from '../patience.ts';

type OrderClass = keyof typeof ORDER_CLASSES;

/** Decoded records, with what the ledger knows of those whose content is done with. */
interface Prepared {
  records: readonly ConsumedRecord[];
  poison: ReadonlyMap<bigint, PoisonMessage>;
  events: ReadonlyMap<bigint, IncomingEvent>;
  known: ReadonlyMap<bigint, OrderClass>;
}

export interface ClassifierOptions {
  db: Database;
  codec: Codec;
  /** With prefix. */
  topic: string;
  filter: RecordFilter;
  memory: Memory;
  /** Whose drafts to keep; undefined where the ledger itself will know, because what is judged is also done. */
  draftsOf?: string;
}

/** Of order events: decode, judge, and the ledger. What the ledger would know after a real run is kept as drafts. */
export function createOrderClassifier(options: ClassifierOptions): Classifier {
  const drafts = createDrafts(options.db, options.draftsOf);
  const judgeChunk = async (prepared: Prepared): Promise<Judgement> => {
    const open = [...prepared.events.values()].filter(({ record }) => !prepared.known.has(record.offset));
    const judged = await judgeAll(options, open, drafts);
    const verdicts = new Map(judged.map((one) => [one.event.record.offset, one]));
    const records = prepared.records.map((record) => classified(record, prepared, verdicts));
    return { records, keep: (tx) => drafts.keep(tx, judged) };
  };
  return {
    prepare: async (records) => {
      const prepared = await orUnavailable(prepare(options, records));
      return () => orUnavailable(judgeChunk(prepared));
    },
  };
}

async function prepare(options: ClassifierOptions, records: readonly ConsumedRecord[]): Promise<Prepared> {
  const { db, codec, topic, filter } = options;
  const taken = records.filter((record) => filter.takesRecord(record));
  const decoded = (await decodeRecords(codec, topic, taken)).filter((one) => filter.takesEvent(one));
  const events = decoded.filter((one) => one.kind !== 'poison');
  const states = await knownStates(db, events);
  return {
    records,
    poison: new Map(decoded.flatMap((one) => (one.kind === 'poison' ? [[one.record.offset, one] as const] : []))),
    events: new Map(events.map((event) => [event.record.offset, event])),
    known: new Map(
      events.flatMap((event, i) =>
        states.has(i) ? [[event.record.offset, classOfKnown(states.get(i))] as const] : [],
      ),
    ),
  };
}

interface Judged {
  event: IncomingEvent;
  verdict: Verdict;
  is: OrderClass;
}

async function judgeAll(
  { db, memory }: ClassifierOptions,
  events: readonly IncomingEvent[],
  drafts: Drafts,
): Promise<Judged[]> {
  if (events.length === 0) return [];
  const ledger = await drafts.addTo(await lookUp(db, events), events);
  const viewOf = orderViews(ledger);
  return events.map((event) => {
    const view = viewOf(event.orderId);
    const verdict = judge(event, view, memory);
    return { event, verdict, is: classOf(verdict, view.entry?.state) };
  });
}

function classified(record: ConsumedRecord, prepared: Prepared, verdicts: ReadonlyMap<bigint, Judged>): Classified {
  const { offset } = record;
  const poison = prepared.poison.get(offset);
  if (poison) return { record, is: 'poison', orderId: poison.orderId, eventId: null, error: poison.error };
  const event = prepared.events.get(offset);
  const judged = verdicts.get(offset);
  const is = prepared.known.get(offset) ?? judged?.is;
  if (!event || !is) return { record, is: 'filtered', orderId: null, eventId: null, error: undefined };
  const error = judged && 'error' in judged.verdict ? judged.verdict.error : undefined;
  return { record, is, orderId: event.orderId, eventId: event.eventId, error };
}

interface Drafts {
  /** What the ledger says, and what it would say after a real run up to here. */
  addTo(ledger: LedgerView, events: readonly IncomingEvent[]): Promise<LedgerView>;
  keep(tx: Database, judged: readonly { event: IncomingEvent; verdict: Verdict }[]): Promise<void>;
}

function createDrafts(db: Database, replayId: string | undefined): Drafts {
  if (replayId === undefined) return { addTo: (ledger) => Promise.resolve(ledger), keep: () => Promise.resolve() };
  let some: boolean | undefined;
  return {
    addTo: async (ledger, events) => {
      some ??= await hasDrafts(db, replayId);
      if (!some) return ledger;
      return merged(ledger, await readDrafts(db, replayId, [...new Set(events.map(({ orderId }) => orderId))]));
    },
    keep: async (tx, judged) => {
      const drafts = judged.flatMap(({ event, verdict }) => draftOf(event, verdict) ?? []);
      if (drafts.length > 0) some = true;
      await writeDrafts(tx, replayId, drafts);
    },
  };
}

/** What is refused leaves nothing behind, and what was known is known. */
function draftOf(event: IncomingEvent, verdict: Verdict): Draft | undefined {
  const { outcome } = verdict;
  if (outcome === 'conflict' || outcome === 'stale' || (outcome === 'duplicate' && !verdict.newId)) return undefined;
  const { orderId, eventId, contentHash, source } = event;
  const placed = outcome === 'claim' ? { source, fingerprint: verdict.fingerprint } : null;
  return { orderId, eventId, contentHash, placed };
}

function merged(ledger: LedgerView, drafts: readonly Draft[]): LedgerView {
  const entries = new Map(ledger.entries);
  for (const { orderId, eventId, placed } of drafts) {
    const known = entries.get(orderId);
    if (!placed || (known && known.state !== 'awaited')) continue;
    entries.set(orderId, {
      ...{ orderId, source: placed.source, fingerprint: placed.fingerprint },
      ...{ state: 'started', fingerprintVersion: FINGERPRINT_VERSION, placedEventId: eventId },
    });
  }
  const events = drafts.map(({ orderId, eventId, contentHash }) => ({ orderId, eventId, contentHash, handled: true }));
  return { entries, events: [...ledger.events, ...events] };
}

/** Behind all live orders, which have Temporal's 3. */
const REPLAY_PRIORITY = 5;
const STARTS_IN_FLIGHT = 50;
const ADMISSION_WAIT_MS = 200;

/** What of its order each outcome of ingest means: nothing else has an effect. */
const EFFECTS: Readonly<Record<string, string>> = {
  claim: 'started',
  // Claimed by a run that died before the start.
  restart: 'started',
  signal: 'told',
  park: 'parked',
};
/** The same, of what was judged before the process died and is found to be done. */
const EFFECTS_BEFORE: Readonly<Record<string, string>> = { new: 'started', unheard: 'told', early: 'parked' };

/** Ingest's own gate of order events. */
export function createOrderGate(given: GateOptions): Gate {
  const { parts, options, onWait, onStep } = given;
  const { config, db, codec, client, connection } = parts;
  let now = nothingDone();
  const note = (outcome: string, offset: bigint | undefined): void => {
    // Done before a fault, and now found to be: the first outcome counts.
    if (offset !== undefined && !now.outcomes.has(offset)) now.outcomes.set(offset, outcome);
  };
  const handle = createChunkHandler({
    ...{ db, codec, onStep },
    workflows: createOrderWorkflows({
      client,
      taskQueue: `${config.OMS_PREFIX}${ORDERS_TASK_QUEUE}`,
      timersOf: timersOf(config),
      priorityKey: REPLAY_PRIORITY,
    }),
    limiter: pLimit(STARTS_IN_FLIGHT),
    office: gateOffice(given),
    metrics: {
      record: note,
      deadLetters: (letters) => noteLetters(now, letters),
      rebalance: () => undefined,
      offsetAlert: () => undefined,
    },
    parkingDeadlineMs: config.OMS_PARKING_DEADLINE,
    memory: options.allowStale ? completeMemory : parts.memory,
    lanesPerConfirm: 2 * STARTS_IN_FLIGHT,
    onStarted: (orders) => admission.opened(orders),
  });
  const admission = createAdmission({ db, limit: config.OMS_INGEST_OPEN_ORDERS_LIMIT, logger: connection.logger });
  return {
    effectOf: (outcome, _is, begunAs) => (outcome === 'duplicate' ? EFFECTS_BEFORE[begunAs ?? ''] : EFFECTS[outcome]),
    take: async (records, done, signal) => {
      const [first] = records;
      if (!first) return;
      now = done;
      await untilAdmitted(admission, signal, onWait);
      await handle({ topic: first.topic, partition: first.partition, records, finished: () => undefined, signal });
    },
  };
}

async function untilAdmitted(admission: Admission, signal: AbortSignal, onWait: OnWait): Promise<void> {
  let waited = false;
  for (let why = admission.reason(); why !== undefined && !signal.aborted; why = admission.reason()) {
    waited = true;
    onWait(why);
    await sleep(ADMISSION_WAIT_MS, undefined, { signal }).catch(() => undefined);
  }
  if (waited) onWait(undefined);
}
