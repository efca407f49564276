import type { ConsumerHealth } from '../kafka/consumer/consumer.ts';

/** A fetch is answered at least every half second, also with nothing: silence for so long means Kafka is away. */
const SILENT_MS = 30_000;
/** Records worked on for so long, with nothing to wait for, are stuck. */
const STUCK_MS = 5 * 60_000;

/** Readiness: in the group, and the cluster answers. */
export function kafkaFault({ state, lastFetchAt, inFlight }: ConsumerHealth, now = Date.now()): string | null {
  if (state !== 'running' && state !== 'paused') return `the consumer is ${state}`;
  const silentMs = now - (lastFetchAt ?? now);
  return inFlight === 0 && silentMs > SILENT_MS ? `no answer to a fetch for ${Math.round(silentMs / 1_000)} s` : null;
}

/** Liveness: nothing is worked on without an end. Waiting for the environment is life. */
export function progressFault(health: ConsumerHealth, now = Date.now()): string | null {
  if (health.state === 'crashed') return 'the consumer crashed';
  const idleMs = now - health.lastProgressAt;
  const stuck = health.inFlight > 0 && health.pausedReason === undefined && idleMs > STUCK_MS;
  return stuck ? `${health.inFlight} records in flight and no progress for ${Math.round(idleMs / 1_000)} s` : null;
}
