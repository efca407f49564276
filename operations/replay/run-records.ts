import type { ReplayPart, Tallies } from '../../database/replays/replay-parts.ts';
import type { Replay } from '../../database/replays/replays.ts';
import type { ReplayClasses } from './classes.ts';
import { readClassified } from './classified.ts';
import type { Classified } from './classified.ts';
import { effectsOf, nothingDone, readyToHand } from './gate.ts';
import type { Gate } from './gate.ts';
import type { ReplayParts } from './parts.ts';
import { patiently } from './patience.ts';
import type { OnWait } from './patience.ts';
import type { Pace, Pressure } from './pressure.ts';
import type { Source } from './sources.ts';
import { keptWhole, tallied } from './track.ts';
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
 * Reads a replay's range of a topic from where it stands. With a gate, what is missing is brought through it; without,
 * records are only judged.
 */
export async function runRecords(run: Run, source: Source, gate: Gate | undefined): Promise<void> {
  const { parts, replay, track, signal, onWait } = run;
  await patiently(() => source.load(), signal, onWait);
  await readClassified({
    ...parts,
    ...{ replayId: replay.replayId, signal, onWait },
    topic: source.topic,
    parts: track.parts(),
    classifier: source.classifier(gate ? undefined : replay.replayId),
    onJudged: async (partition, { records: judged, keep }, next) => {
      const advance = async (records: readonly Classified[], upTo: number, effects: Tallies): Promise<void> => {
        const kept = gate ? {} : { keep: keptWhole(replay.replayId, keep) };
        const done = { tallies: tallied(records.map(({ is }) => is)), effects, ...kept };
        await patiently(() => track.advance(partition, upTo, done), signal, onWait);
        run.onProgress();
      };
      if (!gate) return advance(judged, next, {});
      for (const { records, upTo } of slicesOf(rejudged(track, partition, judged), source.classes, run.pace.atOnce)) {
        if (signal.aborted) return;
        const effects = await take(run, source, gate, partition, records);
        if (!effects) return;
        await advance(records, upTo ?? next, effects);
      }
    },
  });
}

/** After a crash: what was judged before it counts, since what was done meanwhile looks done now. */
function rejudged(track: Track, partition: number, chunk: readonly Classified[]): Classified[] {
  return chunk.map((one) => {
    const begun = track.begun(partition, Number(one.record.offset));
    return begun ? { ...one, is: begun.is } : one;
  });
}

interface Slice {
  records: Classified[];
  /** Its end; undefined of the last one, which is the chunk's. */
  upTo: number | undefined;
}

/** Cuts a chunk so that no slice has more than so many records with an effect. */
export function slicesOf(chunk: readonly Classified[], classes: ReplayClasses, most: number): Slice[] {
  const slices: Slice[] = [];
  let records: Classified[] = [];
  let open = 0;
  for (const one of chunk) {
    if (classes[one.is]?.isOpen && open++ === most) {
      slices.push({ records, upTo: Number(one.record.offset) });
      records = [];
      open = 1;
    }
    records.push(one);
  }
  return [...slices, { records, upTo: undefined }];
}

/** Does what there is to do about a slice's records; undefined when it was interrupted: the rest is another run's. */
async function take(
  run: Run,
  { classes }: Source,
  gate: Gate,
  partition: number,
  slice: readonly Classified[],
): Promise<Tallies | undefined> {
  const { track, signal, onWait } = run;
  const { db } = run.parts;
  const open = slice.filter(({ is }) => classes[is]?.isOpen);
  if (open.length === 0) return {};
  await run.pressure.wait(signal, onWait);
  await run.pace.take(open.length, signal);
  if (signal.aborted) return undefined;
  const wanted = open.map(({ record, is }) => ({ record, is, begun: track.begun(partition, Number(record.offset)) }));
  const handed = await patiently(() => readyToHand(db, wanted), signal, onWait);
  const pending = handed.map(({ record, is, hadLetter }): ReplayPart['pending'][number] => [
    Number(record.offset),
    is,
    hadLetter,
  ]);
  await patiently(() => track.intend(partition, pending), signal, onWait);
  const done = nothingDone();
  const records = open.map(({ record }) => record);
  await patiently(() => gate.take(records, done, signal), signal, onWait);
  return patiently(() => effectsOf(db, gate, done, handed), signal, onWait);
}
