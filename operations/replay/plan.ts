import { randomBytes } from 'node:crypto';
import { transaction } from '../../database/database.ts';
import { storable } from '../../database/ledger/records.ts';
import { archiveRange, countArchive } from '../../database/outbox/outbox-archive.ts';
import { clearLeftovers, withReplayLock } from '../../database/replays/replay-lock.ts';
import { beginNotes, dropDrafts } from '../../database/replays/replay-notes.ts';
import { readParts } from '../../database/replays/replay-parts.ts';
import type { FrozenRange } from '../../database/replays/replay-parts.ts';
import { insertReplay, moveReplay, noteAction, readReplay, savePlan } from '../../database/replays/replays.ts';
import type { NewReplay, Planned, Replay, ReplayOptions } from '../../database/replays/replays.ts';
import { OmsError } from '../../domain/errors.ts';
import { replayRules } from '../../domain/replay-modes.ts';
import type { ReplayMode } from '../../domain/replay-modes.ts';
import { readClassified } from './classified.ts';
import type { Classified } from './classified.ts';
import type { ReplayParts } from './parts.ts';
import { patiently } from './patience.ts';
import type { OnWait } from './patience.ts';
import { rangesOf, readExtents } from './ranges.ts';
import type { OffsetSpan } from './ranges.ts';
import { assertSource, sourceOf, sourceTopic } from './sources.ts';
import { assertNotLive, isTargetThere, ownTopic } from './target.ts';
import { count, keepSample, keptWhole, totalOf } from './track.ts';

/** What an operator asks for. */
export interface PlanRequest {
  mode: ReplayMode;
  options: ReplayOptions;
  /** Events are told again on the topics they came from, instead of one of the replay's own. */
  live: boolean;
  /** Offsets; null = all there are. */
  spans: readonly OffsetSpan[] | null;
  requestedBy: string;
  reason: string;
}

export interface PlanProgress {
  /** Offsets gone through, of all in the range. */
  done: number;
  total: number;
  tallies: Planned['tallies'];
}

export interface Watching {
  onProgress: (progress: PlanProgress) => void;
  onWait: OnWait;
  signal: AbortSignal;
}

/** Days are seen in it, and two of a second differ. */
function newReplayId(now: Date = new Date()): string {
  return `${now.toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(3).toString('hex')}`;
}

/**
 * Freezes the range as it stands now, and tells what a run would do with each record of it, without doing any of it.
 * @throws OmsError OMS_REPLAY_INVALID; a retryable one when a part is away
 */
export async function planReplay(parts: ReplayParts, asked: PlanRequest, watching: Watching): Promise<Replay> {
  await clearLeftovers(parts.db, asked.requestedBy);
  const replayId = newReplayId();
  // Held while it is planned: a plan that nobody holds was killed.
  await withReplayLock(parts.db, replayId, () => planAs(parts, replayId, asked, watching));
  return required(await readReplay(parts.db, replayId), replayId);
}

async function planAs(parts: ReplayParts, replayId: string, asked: PlanRequest, watching: Watching): Promise<void> {
  const request = { ...asked, options: { ...asked.options, to: targetOf(parts, replayId, asked) } };
  if (request.options.to !== null) await isTargetThere(parts, request.options.to);
  const ranges = await freeze(parts, request);
  await enter(parts, { replayId, ...request, ranges });
  const began = performance.now();
  try {
    const counted =
      replayRules(request.mode).reads === 'outbox' ? await countEvents(parts, request, ranges) : undefined;
    const found = counted ?? (await classifyAll(parts, replayId, request, watching));
    watching.signal.throwIfAborted();
    const seconds = (performance.now() - began) / 1_000;
    await savePlan(parts.db, replayId, { ...found, records: totalOf(found.tallies), seconds });
  } catch (error) {
    throw await calledOff(parts, replayId, request, watching.signal.aborted ? undefined : error);
  } finally {
    await dropDrafts(parts.db, replayId).catch(() => undefined);
  }
}

/** @throws OmsError OMS_REPLAY_UNKNOWN when there is none */
export function required(replay: Replay | undefined, replayId: string): Replay {
  if (replay) return replay;
  throw new OmsError('OMS_REPLAY_UNKNOWN', `no replay ${replayId}; \`oms replay status\` lists those there are`);
}

function targetOf({ config }: ReplayParts, replayId: string, { mode, options, live }: PlanRequest): string | null {
  if (replayRules(mode).reads !== 'outbox' || live) return null;
  const to = options.to ?? ownTopic(config.OMS_PREFIX, replayId);
  assertNotLive(config.OMS_PREFIX, to);
  return to;
}

async function freeze(
  { admin, db, config }: ReplayParts,
  { mode, options, spans }: PlanRequest,
): Promise<FrozenRange[]> {
  if (replayRules(mode).reads === 'outbox') return [{ partition: 0, ...(await archiveRange(db, options)) }];
  await assertSource(db, mode, options.from);
  const topic = sourceTopic(config.OMS_PREFIX, options.from);
  return rangesOf(await readExtents(admin, topic, options.fromTime), spans);
}

async function enter({ db }: ReplayParts, replay: NewReplay): Promise<void> {
  await transaction(db, async (tx) => {
    await insertReplay(tx, replay);
    await noteAction(tx, replay.replayId, 'planned', replay.requestedBy, replay.reason);
  });
}

/** A plan that is not complete can never be run. */
async function calledOff(
  { db }: ReplayParts,
  replayId: string,
  { requestedBy }: PlanRequest,
  error: unknown,
): Promise<Error> {
  const why = error instanceof Error ? error.message : 'called off while it was planned';
  const note = async (): Promise<void> => {
    await moveReplay(db, replayId, ['planning'], 'aborted');
    await noteAction(db, replayId, 'aborted', requestedBy, storable(why));
  };
  await note().catch(() => undefined);
  return error instanceof Error
    ? error
    : new OmsError('OMS_REPLAY_STATE', `replay ${replayId} was called off while it was planned`);
}

const SAMPLES = 10;

async function countEvents({ db }: ReplayParts, { options }: PlanRequest, [range]: readonly FrozenRange[]) {
  const rows = range ? await countArchive(db, options, range, SAMPLES) : [];
  return {
    tallies: Object.fromEntries(rows.map((row) => [row.what, row.count])),
    samples: Object.fromEntries(
      rows.map((row) => [
        row.what,
        row.samples.map((one) => ({ orderId: one.order_id, eventId: one.event_id, partition: 0, offset: one.id })),
      ]),
    ),
  };
}

async function classifyAll(
  parts: ReplayParts,
  replayId: string,
  { mode, options }: PlanRequest,
  { onProgress, onWait, signal }: Watching,
): Promise<Pick<Planned, 'tallies' | 'samples'>> {
  const source = sourceOf(parts, mode, options);
  await source.load();
  await beginNotes(parts.db, replayId);
  const ranges = await readParts(parts.db, replayId);
  const positions = new Map(ranges.map(({ partition, from }) => [partition, from]));
  const total = ranges.reduce((sum, { from, end }) => sum + end - from, 0);
  const found: Pick<Planned, 'tallies' | 'samples'> = { tallies: {}, samples: {} };
  let done = 0;
  await readClassified({
    ...parts,
    ...{ replayId, onWait, signal },
    topic: source.topic,
    parts: ranges,
    classifier: source.classifier(replayId),
    onJudged: async (partition, { records, keep }, next) => {
      await patiently(() => transaction(parts.db, keptWhole(replayId, keep)), signal, onWait);
      for (const one of records) tally(found, one);
      done += next - (positions.get(partition) ?? next);
      positions.set(partition, next);
      onProgress({ done, total, tallies: found.tallies });
    },
  });
  return found;
}

function tally({ tallies, samples }: Pick<Planned, 'tallies' | 'samples'>, one: Classified): void {
  count(tallies, one.is);
  if (one.is !== 'filtered') keepSample(samples, one.is, () => sampleOf(one));
}

/** Longest text of a sample, in characters: keys and headers of others' records may be anything. */
const SAMPLE_CHARACTERS = 300;
const sampled = (text: string): string => storable(text.slice(0, SAMPLE_CHARACTERS));

function sampleOf({ record, orderId, eventId, error }: Classified) {
  const { partition, offset } = record;
  const why = error ? { code: error.code, message: sampled(error.message) } : {};
  const ids = { orderId: orderId && sampled(orderId), eventId: eventId && sampled(eventId) };
  return { ...ids, partition, offset: Number(offset), ...why };
}
