import type { Database } from '../database/database.ts';
import type { DoneEvent } from '../database/ledger.ts';
import { parkedFor } from '../database/parked-events.ts';
import { databaseError } from '../database/database.ts';
import type { Chunk, ConsumedRecord } from '../kafka/consumer.ts';
import type { Codec } from '../kafka/codec.ts';
import { createClassifier } from './classify.ts';
import type { Classified } from './classify.ts';
import { deadLetter } from './dead-letters.ts';
import type { DeadLetterOffice } from './dead-letters.ts';
import type { DeadLetter } from '../database/dead-letters.ts';
import { decodeRecords } from './decode.ts';
import { confirm, deliver, undeliveredLetters } from './deliver.ts';
import type { Delivery, DeliverOptions } from './deliver.ts';
import type { IncomingEvent, PoisonMessage } from './event.ts';
import type { IngestMetrics } from './ingest-metrics.ts';
import { lanesOf } from './lanes.ts';
import type { Lane } from './lane.ts';
import { storedRecord } from './record.ts';

export interface ChunkOptions extends DeliverOptions {
  codec: Codec;
  office: DeadLetterOffice;
  metrics: IngestMetrics;
  parkingDeadlineMs: number;
}

/**
 * The way of a chunk of the orders topic: decode, classify and claim, start and signal, dead letters, confirm, finish.
 * Whatever it dies in between, the same records given again lead to the same end.
 * @throws OmsError, retryable, when the environment is away: what could be done is finished, the rest is to be given again
 */
export function createChunkHandler(options: ChunkOptions): (chunk: Chunk) => Promise<void> {
  const classify = createClassifier(options);
  return async (chunk) => {
    const decoded = await decodeRecords(options.codec, chunk.topic, chunk.records);
    await options.onStep('decoded');
    const poison = decoded.filter((one) => one.kind === 'poison');
    const classified = await classify(decoded.filter((one) => one.kind !== 'poison'));
    const delivery = await deliver(options, await lanesWithParked(options.db, classified), chunk.signal);
    const letters = [...poison.map(poisonLetter), ...refusedLetters(classified), ...undeliveredLetters(delivery)];
    options.metrics.deadLetters(await options.office.send(letters));
    await confirm(options.db, delivery, doneBeside(classified, delivery));
    await options.onStep('confirmed');
    finish(chunk, options.metrics, { poison, classified, delivery });
    await options.onStep('finished');
    if (delivery.failure !== undefined) throw delivery.failure;
  };
}

async function lanesWithParked(db: Database, classified: readonly Classified[]): Promise<Lane[]> {
  const lanes = lanesOf(classified);
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

function poisonLetter({ error, orderId, source, record }: PoisonMessage): DeadLetter {
  return deadLetter({ error, orderId, source, record: storedRecord(record) });
}

function refusedLetters(classified: readonly Classified[]): DeadLetter[] {
  return classified.flatMap(({ event, verdict }) => {
    if (verdict.outcome !== 'conflict' && verdict.outcome !== 'late') return [];
    const { orderId, source, record } = event;
    return [deadLetter({ error: verdict.error, orderId, source, record: storedRecord(record) })];
  });
}

/** Events to be written down besides those the lanes delivered. */
function doneBeside(classified: readonly Classified[], delivery: Delivery): DoneEvent[] {
  const isStarted = carriedThrough(delivery);
  return classified.flatMap(({ event, verdict }): DoneEvent[] => {
    switch (verdict.outcome) {
      case 'claim':
      case 'restart':
        return isStarted(event.orderId) ? [doneEvent(event, 'started')] : [];
      case 'duplicate':
        return verdict.newId ? [doneEvent(event, 'handled')] : [];
      case 'late':
        return [doneEvent(event, 'late')];
      case 'park':
      case 'signal':
      case 'conflict':
        return [];
    }
  });
}

function doneEvent(event: IncomingEvent, outcome: DoneEvent['outcome']): DoneEvent {
  const { orderId, eventId, contentHash } = event;
  return { orderId, eventId, contentHash, outcome, type: event.kind === 'placed' ? 'placed' : event.message.kind };
}

function carriedThrough(delivery: Delivery): (orderId: string) => boolean {
  const orderIds = new Set(delivery.done.map(({ lane }) => lane.orderId));
  return (orderId) => orderIds.has(orderId);
}

interface Outcome {
  poison: readonly PoisonMessage[];
  classified: readonly Classified[];
  delivery: Delivery;
}

/** Tells the loop which records are done, and counts them. */
function finish(chunk: Chunk, metrics: IngestMetrics, { poison, classified, delivery }: Outcome): void {
  const isCarried = carriedThrough(delivery);
  const undelivered = new Map(delivery.undelivered.map(({ event, outcome }) => [event.eventId, outcome]));
  const done = (record: ConsumedRecord, outcome: string): void => {
    chunk.finished(record.offset);
    metrics.record(outcome);
  };
  for (const { record } of poison) done(record, 'poison');
  for (const { event, verdict } of classified) {
    const waits = verdict.outcome === 'claim' || verdict.outcome === 'restart' || verdict.outcome === 'signal';
    if (waits && !isCarried(event.orderId)) continue;
    done(event.record, undelivered.get(event.eventId) ?? verdict.outcome);
  }
}
