import { randomUUID } from 'node:crypto';
import type { ReplayPart } from '../../database/replays/replay-parts.ts';
import { readRanges } from '../../kafka/reader/range-reader.ts';
import { groupName } from '../../kafka/topics.ts';
import type { Classifier, Judgement } from './classified.ts';
import type { ReplayParts } from './parts.ts';
import { patiently } from './patience.ts';
import type { OnWait } from './patience.ts';

export interface ReadingOptions extends Pick<ReplayParts, 'config' | 'connection'> {
  replayId: string;
  /** With prefix. */
  topic: string;
  /** Read from `next` to `end`. */
  parts: readonly Pick<ReplayPart, 'partition' | 'next' | 'end'>[];
  classifier: Classifier;
  /** Takes what was judged, chunk after chunk: in offset order per partition, one at a time over all. */
  onJudged: (partition: number, chunk: Judgement, next: number) => Promise<void>;
  onWait: OnWait;
  signal: AbortSignal;
}

/**
 * Reads the ranges and classifies them. Partitions are decoded and looked up side by side; what they say is judged one
 * chunk after the other, because an order may stand in several of them.
 */
export async function readClassified(options: ReadingOptions): Promise<void> {
  const { classifier, signal, onWait } = options;
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  await readRanges({
    connection: options.connection,
    // Never committed to, and of this process alone: a reader that was killed keeps no partition from the next one.
    groupId: `${groupName(options.config.OMS_PREFIX, `replay-${options.replayId}`)}-${randomUUID().slice(0, 8)}`,
    topic: options.topic,
    ranges: options.parts.map(({ partition, next, end }) => ({ partition, next: BigInt(next), end: BigInt(end) })),
    onLost: (reason) => onWait(`Kafka: ${reason}`),
    signal,
    onRecords: async (records, next) => {
      const partition = records[0]?.partition;
      if (partition === undefined) return;
      const judge = await patiently(() => classifier.prepare(records), signal, onWait);
      await inTurn(async () => {
        if (signal.aborted) return;
        const chunk = await patiently(judge, signal, onWait);
        await options.onJudged(partition, chunk, Number(next));
      });
    },
  });
}
