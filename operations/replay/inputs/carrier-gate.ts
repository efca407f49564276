import { createCarrierReceiver } from '../../../ingest/carrier/receiver.ts';
import type { CarrierReceiver } from '../../../ingest/carrier/receiver.ts';
import { createCarrierTopic } from '../../../ingest/carrier/topic.ts';
import { createEventEncoder } from '../../../orders/published/event-encoder.ts';
import { gateOffice, noteLetters, nothingDone } from '../gate.ts';
import type { Gate, GateOptions } from '../gate.ts';

/** What of its shipment each outcome means. News that says nothing new is written down the first time it is heard. */
const EFFECTS: Readonly<Record<string, string>> = {
  applied: 'applied',
  parked: 'parked',
  failed: 'parked',
  late: 'noted',
};
/** The same, of what was judged before the process died and is found to be done. */
const EFFECTS_BEFORE: Readonly<Record<string, string>> = {
  ...{ new: 'applied', superseded: 'noted', late: 'noted', waiting: 'parked' },
};

/** The gate of the topic `carrier-updates`: that of its consumer, whose codec has been loaded. */
export function createCarrierGate(options: GateOptions): Gate {
  const { parts, onStep } = options;
  const { config, db, codec, client, connection } = parts;
  let now = nothingDone();
  const parkingDeadlineMs = config.OMS_PARKING_DEADLINE;
  const count = (): void => undefined;
  const receiver = createCarrierReceiver({
    ...{ db, temporal: client, logger: connection.logger, count, parkingDeadlineMs },
    encoder: createEventEncoder({ codec, prefix: config.OMS_PREFIX }),
  });
  const noting: CarrierReceiver = {
    ...receiver,
    take: async (given, way) => {
      const outcomes = await receiver.take(given, way);
      given.forEach(({ record }, i) => {
        const [offset, outcome] = [BigInt(record?.offset ?? -1), outcomes[i] ?? 'away'];
        // Done before a fault, and now found to be: the first outcome counts.
        if (outcome !== 'away' && !now.outcomes.has(offset)) now.outcomes.set(offset, outcome);
      });
      return outcomes;
    },
  };
  const handle = createCarrierTopic({
    ...{ db, codec, receiver: noting, count, parkingDeadlineMs },
    office: gateOffice(options),
    onDeadLetters: (letters) => noteLetters(now, letters),
  });
  return {
    effectOf: (outcome, is, begunAs) => {
      if (outcome !== 'repeated') return EFFECTS[outcome];
      return begunAs === undefined ? (is === 'superseded' ? 'noted' : undefined) : EFFECTS_BEFORE[begunAs];
    },
    take: async (records, done, signal) => {
      const [first] = records;
      if (!first) return;
      now = done;
      await handle({ topic: first.topic, partition: first.partition, records, finished: () => undefined, signal });
      await onStep('finished');
    },
  };
}
