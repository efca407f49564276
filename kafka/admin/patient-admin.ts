import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { someCause } from '../client/errors.ts';

/** A leader that has just moved is known to all brokers within about a second, a lost one is replaced within ten. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 200;

/** What can be asked twice. */
const QUESTIONS = [
  'listTopics',
  'fetchTopicMetadata',
  'fetchTopicOffsets',
  'fetchTopicOffsetsByTimestamp',
  'describeCluster',
  'describeConfigs',
  'describeGroups',
  'listGroups',
  'fetchOffsets',
] as const satisfies readonly (keyof Admin)[];

/**
 * Errors of a moment, which kafkajs' admin reports at once or nearly so: a partition or a group has just got this broker
 * or another one, or the broker that had it has gone.
 */
const OF_A_MOMENT = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSBrokerNotFound',
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  // Its own: two questions at once share a look at the cluster that was taken for the first of them.
  'TypeError',
]);

/**
 * An admin client that asks again while brokers come and go: who leads is asked anew, and who is just being named is waited
 * for. What changes something is asked once, as by kafkajs.
 */
export function patientAdmin(admin: Admin, patienceMs = PATIENCE_MS): Admin {
  let isOpen = true;
  const again = async <T>(ask: () => Promise<T>): Promise<T> => {
    const deadline = performance.now() + patienceMs;
    let last: unknown;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        // What Kafka says tells more than what kafkajs makes of it.
        last = isKafkas(error) || last === undefined ? error : last;
        if (!isOfAMoment(error)) throw error;
      }
      // Once disconnected it would connect anew, and keep the process.
      if (!isOpen || performance.now() > deadline) throw last;
      await sleep(PAUSE_MS);
      if (isOpen) await lookAgain(admin);
      if (!isOpen) throw last;
    }
  };
  const patient = QUESTIONS.map((name) => {
    const questions = admin as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
    return [name, (...given: unknown[]) => again(async () => questions[name]?.(...given))];
  });
  return {
    ...admin,
    ...(Object.fromEntries(patient) as Pick<Admin, (typeof QUESTIONS)[number]>),
    connect: () => {
      isOpen = true;
      return admin.connect();
    },
    disconnect: () => {
      isOpen = false;
      return admin.disconnect();
    },
  };
}

const isKafkas = (error: unknown): boolean => (error as { type?: string }).type !== undefined;

const isOfAMoment = (error: unknown): boolean =>
  someCause(error, (one) => {
    const { type = '', name = '' } = one as { type?: string; name?: string };
    return OF_A_MOMENT.has(type) || OF_A_MOMENT.has(name);
  });

/**
 * An admin client of kafkajs keeps asking who led a partition up to five minutes ago, and has no call of its own to look
 * again. Creating topics makes it look; creating none changes nothing, and no login is too small for it.
 */
async function lookAgain(admin: Admin): Promise<void> {
  await admin.createTopics({ topics: [] }).catch(() => undefined);
}
