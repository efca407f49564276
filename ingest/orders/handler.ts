import { databaseError } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import type { DoneEvent } from '../../database/ledger/ledger.ts';
import { parkedFor } from '../../database/ledger/parked-events.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Chunk, ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { confirm, deliver, nothingDelivered } from '../../orders/intake/deliver.ts';
import type { DeliverOptions, Delivery, Lane } from '../../orders/intake/deliver.ts';
import { findKnown } from '../../orders/intake/judge.ts';
import { decodeRecords, lifecycleRecord } from '../../orders/intake/order-event.ts';
import type { IncomingEvent, PoisonMessage } from '../../orders/intake/order-event.ts';
import { deadLetter, undeliveredLetters } from '../../outbox/dead-letters.ts';
import type { DeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { Memory } from '../../temporal/retention.ts';
import type { IngestMetrics } from '../metrics.ts';
import { createClassifier } from './classify.ts';
import type { Classified } from './classify.ts';

export interface ChunkOptions extends DeliverOptions {
  codec: Codec;
  office: DeadLetterOffice;
  metrics: IngestMetrics;
  /** How long a parked event waits for its order, ms. */
  parkingDeadlineMs: number;
  /** What the ledger and Temporal can be relied on to remember. @default everything */
  memory?: Memory;
  /** Orders started or signalled before what was done is confirmed: what a crash makes ingest do again. */
  lanesPerConfirm: number;
  /** Told how many orders were started. */
  onStarted: (orders: number) => void;
}

/**
 * The way of a chunk of the orders topic: known bytes, decode, classify (parking and claiming), dead letters, start and signal,
 * confirm, finish. Whatever it dies in between, the same records given again lead to the same end.
 * @throws OmsError, retryable, when the environment is away: what could be done is finished, the rest is to be given again
 */
export function createChunkHandler(options: ChunkOptions): (chunk: Chunk) => Promise<void> {
  const classify = createClassifier(options);
  return async (chunk) => {
    const fresh = await finishKnown(options, chunk);
    const decoded = await decodeRecords(options.codec, chunk.topic, fresh);
    await options.onStep('decoded');
    const poison = decoded.filter((one) => one.kind === 'poison');
    const classified = await classify(decoded.filter((one) => one.kind !== 'poison'));
    await finishWithoutWorkflow(options, chunk, poison, classified);
    await finishWithWorkflow(options, chunk, classified.filter(needsLane));
    await options.onStep('finished');
  };
}

/**
 * Records whose very bytes were taken before are done without being decoded: a topic that is read again costs next to
 * nothing. Returns the others.
 */
async function finishKnown(options: ChunkOptions, chunk: Chunk): Promise<ConsumedRecord[]> {
  const isKnown = await findKnown(options.db, chunk.records);
  return chunk.records.filter((record) => {
    if (isKnown(record)) finish(options, chunk, record, 'duplicate');
    return !isKnown(record);
  });
}

/** Poison, conflicts, stale orders, late events, duplicates and what was parked. */
async function finishWithoutWorkflow(
  options: ChunkOptions,
  chunk: Chunk,
  poison: readonly PoisonMessage[],
  classified: readonly Classified[],
): Promise<void> {
  const judged = classified.filter((one) => !needsLane(one));
  await sendLetters(options, [...poison.map(poisonLetter), ...judged.flatMap(refusedLetter)]);
  await confirm(options.db, nothingDelivered, judged.flatMap(doneWithoutWorkflow));
  for (const { record } of poison) finish(options, chunk, record, 'poison');
  for (const { event, verdict } of judged) finish(options, chunk, event.record, verdict.outcome);
}

async function finishWithWorkflow(options: ChunkOptions, chunk: Chunk, events: readonly Classified[]): Promise<void> {
  const byOrder = Map.groupBy(events, ({ event }) => event.orderId);
  const lanes = await withParked(options.db, lanesOf(events));
  for (let from = 0; from < lanes.length; from += options.lanesPerConfirm) {
    const delivery = await deliver(options, lanes.slice(from, from + options.lanesPerConfirm), chunk.signal);
    const done = delivery.done.flatMap(({ lane }) => byOrder.get(lane.orderId) ?? []);
    await sendLetters(options, undeliveredLetters(delivery));
    await confirm(options.db, delivery, done.flatMap(startedOrder));
    await options.onStep('confirmed');
    options.onStarted(delivery.done.filter(({ result }) => result.created).length);
    finishDelivered(options, chunk, done, delivery);
    if (delivery.failure !== undefined) throw delivery.failure;
  }
}

async function withParked(db: Database, lanes: Lane[]): Promise<Lane[]> {
  const starting = lanes.filter((lane) => lane.start);
  try {
    // Read after the claim: from then on nothing is parked for these orders any more.
    const parked = Map.groupBy(
      await parkedFor(
        db,
        starting.map((lane) => lane.orderId),
      ),
      (event) => event.orderId,
    );
    for (const lane of starting) lane.parked = parked.get(lane.orderId) ?? [];
  } catch (error) {
    throw databaseError(error);
  }
  return lanes;
}

async function sendLetters({ office, metrics }: ChunkOptions, letters: readonly DeadLetter[]): Promise<void> {
  metrics.deadLetters(await office.send(letters));
}

function poisonLetter({ error, orderId, source, record }: PoisonMessage): DeadLetter {
  return deadLetter({ error, orderId, source, record: storedRecord(record) });
}

function refusedLetter({ event, verdict }: Classified): DeadLetter[] {
  if (!('error' in verdict)) return [];
  const { orderId, source, record } = event;
  return [deadLetter({ error: verdict.error, orderId, source, record: storedRecord(record) })];
}

/** A late event is written down after its dead letter is out, so that it is refused once and then known. */
function doneWithoutWorkflow({ event, verdict }: Classified): DoneEvent[] {
  if (verdict.outcome === 'late') return [doneEvent(event, 'late')];
  return verdict.outcome === 'duplicate' && verdict.newId ? [doneEvent(event, 'handled')] : [];
}

function startedOrder({ event }: Classified): DoneEvent[] {
  return event.kind === 'placed' ? [doneEvent(event, 'started')] : [];
}

function doneEvent(event: IncomingEvent, outcome: DoneEvent['outcome']): DoneEvent {
  const { orderId, eventId, contentHash } = event;
  return { orderId, eventId, contentHash, outcome, type: event.type };
}

function finishDelivered(options: ChunkOptions, chunk: Chunk, done: readonly Classified[], delivery: Delivery): void {
  const undelivered = new Map(delivery.undelivered.map(({ event, outcome }) => [eventKey(event), outcome]));
  for (const { event, verdict } of done) {
    finish(options, chunk, event.record, undelivered.get(eventKey(event)) ?? verdict.outcome);
  }
}

const eventKey = ({ orderId, eventId }: { orderId: string; eventId: string }): string => `${orderId}\n${eventId}`;

function finish({ metrics }: ChunkOptions, chunk: Chunk, record: { offset: bigint }, outcome: string): void {
  chunk.finished(record.offset);
  metrics.record(outcome, record.offset);
}

/** Whether the order's workflow has to be started or told. */
function needsLane({ verdict: { outcome } }: Classified): boolean {
  return outcome === 'claim' || outcome === 'restart' || outcome === 'signal';
}

/** One lane per order that something is to be told, in the order of their first records. */
function lanesOf(classified: readonly Classified[]): Lane[] {
  const lanes = new Map<string, Lane>();
  const laneOf = ({ orderId, source }: IncomingEvent): Lane => {
    const lane = lanes.get(orderId) ?? { orderId, source, start: false, parked: [], signals: [] };
    lanes.set(orderId, lane);
    return lane;
  };
  for (const { event, verdict } of classified) {
    if (verdict.outcome === 'claim' || verdict.outcome === 'restart') laneOf(event).start = true;
    if (verdict.outcome !== 'signal' || event.kind !== 'lifecycle') continue;
    const lane = laneOf(event);
    lane.start ||= verdict.start;
    lane.signals.push(lifecycleRecord(event));
  }
  return [...lanes.values()];
}
