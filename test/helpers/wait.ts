import { setTimeout as sleep } from 'node:timers/promises';

/** Generous: it ends a test that hangs, and is no measure of speed. */
const DEADLINE_MS = 60_000;

/** Asks again and again until the answer is neither false, null nor undefined; gives it back. */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<Exclude<T, false | null | undefined>> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined)
      return answer as Exclude<T, false | null | undefined>;
    if (performance.now() > until) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await sleep(20);
  }
}
