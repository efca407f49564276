import type { ReplayPart } from '../database/replay-parts.ts';
import type { Replay, Tallies } from '../database/replays.ts';
import { topicNames } from '../kafka/topics.ts';
import { isOpenClass } from './classes.ts';
import type { Classified } from './classifier.ts';
import { effectsOf, nothingDone } from './gate.ts';
import type { Gate } from './gate.ts';
import type { Pace } from './pace.ts';
import type { ReplayParts } from './parts.ts';
import { patiently } from './patience.ts';
import type { OnWait } from './patience.ts';
import { classifierOf } from './plan.ts';
import type { Pressure } from './pressure.ts';
import { readClassified } from './reading.ts';
import { tallied } from './track.ts';
import type { Track } from './track.ts';

/** What a run works with. */
export interface Run {
  parts: ReplayParts;
  replay: Replay;
  track: Track;
  pace: Pace;
  pressure: Pressure;
  onWait: OnWait;
  /** Called after each piece of progress. */
  onProgress: () => void;
  signal: AbortSignal;
}

/**
 * Reads a replay's range of the orders topic from where it stands. With a gate, what is missing is brought through it;
 * without, records are only judged.
 */
export async function runOrders(run: Run, gate: Gate | undefined): Promise<void> {
  const { parts, replay, track, signal, onWait } = run;
  await patiently(() => parts.memory.load(), signal, onWait);
  await readClassified({
    ...parts,
    ...{ replayId: replay.replayId, signal, onWait },
    topic: topicNames(parts.config.OMS_PREFIX).orders,
    parts: track.parts(),
    classifier: classifierOf(parts, replay.replayId, replay.options, gate === undefined),
    onClassified: async (partition, chunk, next) => {
      for (const { records, upTo } of slicesOf(rejudged(track, partition, chunk), run.pace.atOnce)) {
        if (signal.aborted) return;
        const effects = gate ? await take(run, gate, partition, records) : {};
        if (!effects) return;
        const tallies = tallied(records.map((one) => one.is));
        await patiently(() => track.advance(partition, upTo ?? next, tallies, effects), signal, onWait);
        run.onProgress();
      }
    },
  });
}

/** After a crash: what was judged before it counts, since what was done meanwhile looks done now. */
function rejudged(track: Track, partition: number, chunk: readonly Classified[]): Classified[] {
  return chunk.map((one) => {
    const before = track.judgedBefore(partition, Number(one.record.offset));
    return before === undefined ? one : { ...one, is: before as Classified['is'] };
  });
}

interface Slice {
  records: Classified[];
  /** Its end; undefined of the last one, which is the chunk's. */
  upTo: number | undefined;
}

/** Cuts a chunk so that no slice has more than so many records with an effect. */
export function slicesOf(chunk: readonly Classified[], most: number): Slice[] {
  const slices: Slice[] = [];
  let records: Classified[] = [];
  let open = 0;
  for (const one of chunk) {
    if (isOpenClass(one.is) && open++ === most) {
      slices.push({ records, upTo: Number(one.record.offset) });
      records = [];
      open = 1;
    }
    records.push(one);
  }
  return [...slices, { records, upTo: undefined }];
}

/** Does what there is to do about a slice's records; undefined when it was interrupted: the rest is another run's. */
async function take(run: Run, gate: Gate, partition: number, slice: Classified[]): Promise<Tallies | undefined> {
  const { track, signal, onWait } = run;
  const open = slice.filter(({ is }) => isOpenClass(is));
  if (open.length === 0) return {};
  await run.pressure.wait(signal, onWait);
  await run.pace.take(open.length, signal);
  if (signal.aborted) return undefined;
  const pending: ReplayPart['pending'] = open.map(({ record, is }) => [Number(record.offset), is]);
  await patiently(() => track.intend(partition, pending), signal, onWait);
  const done = nothingDone();
  const records = open.map(({ record }) => record);
  await patiently(() => gate.take(records, done, signal), signal, onWait);
  return effectsOf(done, (offset) => track.judgedBefore(partition, Number(offset)));
}
