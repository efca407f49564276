import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import type { ClockReading } from '../../kafka/admin/broker-clock.ts';
import type { Config } from '../../platform/config/settings.ts';
import { fault, ok } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** Above it times of records, invoices and timers no longer fit together, and tokens and certificates may not hold. */
export const CLOCK_TOLERANCE_MS = 2_000;

/** Judges a reading; undefined where the other has no clock that can be read. */
export function clockVerdict(whose: string, reading: ClockReading | undefined): Verdict {
  if (!reading) return ok('its clock cannot be read', whose);
  const { at, asked, answered } = reading;
  // The least difference that explains the reading, however long the answer was under way.
  const ahead = Math.round(at > answered ? at - answered : Math.min(0, at - asked));
  const detail = `is ${Math.abs(ahead) / 1_000} s ${ahead < 0 ? 'behind' : 'ahead of'} this machine`;
  return Math.abs(ahead) > CLOCK_TOLERANCE_MS
    ? fault('OMS_CLOCK_SKEW', detail, { about: whose })
    : ok(`within ${CLOCK_TOLERANCE_MS / 1_000} s of this machine`, whose);
}

/** Check: the database's clock. */
export async function lookAtDatabaseClock({ database }: Parts): Promise<Verdict[]> {
  const [db, { sql }] = [await database(), await import('kysely')];
  const asked = Date.now();
  const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(db);
  const at = rows[0]?.at.getTime() ?? NaN;
  return [clockVerdict('database', { at, asked, answered: Date.now() })];
}

/** Check: the brokers' clock. */
export async function lookAtBrokerClock({ kafka }: Parts): Promise<Verdict[]> {
  const { readBrokerClock } = await import('../../kafka/admin/broker-clock.ts');
  return [clockVerdict('broker', await readBrokerClock((await kafka()).connection))];
}

/** Check: Temporal's clock. */
export async function lookAtTemporalClock({ config, temporal }: Parts): Promise<Verdict[]> {
  return [clockVerdict('Temporal', await readTemporalClock(await temporal(), config))];
}

const POLL_MS = 30_000;
const LOOK_EVERY_MS = 25;

/**
 * Temporal tells its time nowhere; but it remembers when a task queue was last asked for work. So an empty queue of our
 * own is asked, and forgotten by the server after a while: nothing is started.
 */
async function readTemporalClock(connection: Connection, config: Config): Promise<ClockReading | undefined> {
  const namespace = config.TEMPORAL_NAMESPACE;
  const taskQueue = { name: `${config.OMS_PREFIX}oms-doctor-${randomUUID()}` };
  const ended = new AbortController();
  const asked = Date.now();
  const request = { namespace, taskQueue, identity: 'oms-doctor' };
  const polling = connection
    .withAbortSignal(ended.signal, () =>
      connection.withDeadline(asked + POLL_MS, () => connection.workflowService.pollWorkflowTaskQueue(request)),
    )
    .catch(() => undefined);
  try {
    for (;;) {
      const { pollers } = await connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue,
        taskQueueType: 1,
      });
      const seen = pollers?.[0]?.lastAccessTime;
      if (seen) return { at: Number(seen.seconds) * 1_000 + (seen.nanos ?? 0) / 1e6, asked, answered: Date.now() };
      if (Date.now() - asked > POLL_MS) return undefined;
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    ended.abort();
    await polling;
  }
}
