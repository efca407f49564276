import type { Consumer } from 'kafkajs';

const LOOK_EVERY_MS = 1_000;
/** kafkajs also joins without a word, and waits there until the group has given up who is gone: a session. */
const SESSIONS = 2;

export interface MembershipOptions {
  /** A group gives the partitions of a member away that it has not heard of for so long, ms. */
  sessionTimeoutMs: number;
  /** Whether a batch is in hand; whoever has it keeps the place in the group, or gives it up. */
  isBusy: () => boolean;
  /** Called once. */
  onLost: (error: Error) => void;
}

/**
 * Tells when a consumer is no member of its group any more. kafkajs asks the broker at which it joined for as long as it
 * lives: when that one is lost the group gets another coordinator, and the consumer fetches on beside it, unheard.
 * Returns how to end the watch.
 */
export function watchMembership(consumer: Consumer, options: MembershipOptions): () => void {
  const { GROUP_JOIN, HEARTBEAT, COMMIT_OFFSETS, REBALANCING } = consumer.events;
  let heardAt: number | undefined;
  const heard = (): void => void (heardAt = performance.now());
  for (const event of [GROUP_JOIN, HEARTBEAT, COMMIT_OFFSETS] as const) consumer.on(event, heard);
  // Until it has joined again there is nobody to be heard of.
  consumer.on(REBALANCING, () => void (heardAt = undefined));
  const timer = setInterval(() => {
    if (options.isBusy() && heardAt !== undefined) heard();
    if (heardAt === undefined || performance.now() - heardAt < SESSIONS * options.sessionTimeoutMs) return;
    clearInterval(timer);
    options.onLost(
      new Error(`the group has not heard of this consumer for ${(SESSIONS * options.sessionTimeoutMs) / 1_000} s`),
    );
  }, LOOK_EVERY_MS);
  // A consumer that nobody ended is no reason to stay.
  timer.unref();
  return () => clearInterval(timer);
}
