import { setTimeout as sleep } from 'node:timers/promises';
import { ORDERS_TASK_QUEUE } from '../../../domain/contract.ts';
import { createAdmission } from '../../../ingest/orders/admission.ts';
import type { Admission } from '../../../ingest/orders/admission.ts';
import { createChunkHandler } from '../../../ingest/orders/chunk.ts';
import { timersOf } from '../../../orders/intake/timers.ts';
import { createLimiter } from '../../../platform/limiter.ts';
import { completeMemory } from '../../../temporal/memory.ts';
import { createOrderWorkflows } from '../../../temporal/order-workflows.ts';
import { gateOffice, noteLetters, nothingDone } from '../gate.ts';
import type { Gate, GateOptions } from '../gate.ts';
import type { OnWait } from '../patience.ts';

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
    limiter: createLimiter(STARTS_IN_FLIGHT),
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
