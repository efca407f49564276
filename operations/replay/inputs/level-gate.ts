import { createLevelHandler } from '../../../ingest/stock/receiver.ts';
import { gateOffice, noteLetters, nothingDone } from '../gate.ts';
import type { Gate, GateOptions } from '../gate.ts';

/** The gate of the topic `stock-levels`: that of its consumer. */
export function createLevelGate(options: GateOptions): Gate {
  const { parts, onStep } = options;
  const { db, codec, connection } = parts;
  let now = nothingDone();
  const handle = createLevelHandler({
    ...{ db, codec, logger: connection.logger },
    office: gateOffice(options),
    metrics: {
      level: () => undefined,
      pricesChanged: () => undefined,
      deadLetters: (letters) => noteLetters(now, letters),
    },
  });
  return {
    // One that was overtaken by a newer one taken in with it counts as well: it was news where it stood.
    effectOf: (_outcome, is) => (is === 'new' ? 'takenIn' : undefined),
    take: async (records, done, signal) => {
      const [first] = records;
      if (!first) return;
      now = done;
      const finished = (offset: bigint): void => void done.outcomes.set(offset, 'finished');
      await handle({ topic: first.topic, partition: first.partition, records, finished, signal });
      await onStep('finished');
    },
  };
}
