import { createDeadLetterOffice } from '../../ingest/dead-letters.ts';
import { createLevelHandler } from '../../ingest/stock/receiver.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import { noteLetters, nothingDone } from '../gate.ts';
import type { Gate, GateOptions } from '../gate.ts';

/** The gate of the topic `stock-levels`: that of its consumer. */
export function createLevelGate({ parts, publisher, onStep }: GateOptions): Gate {
  const { config, db, codec, connection } = parts;
  let now = nothingDone();
  const handle = createLevelHandler({
    ...{ db, codec, logger: connection.logger },
    office: createDeadLetterOffice({
      ...{ db, publisher, onStep },
      topic: topicNames(config.OMS_PREFIX)['orders.dlq'],
      consumerGroup: groupName(config.OMS_PREFIX, 'replay'),
    }),
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
