import { setTimeout as sleep } from 'node:timers/promises';

/** Thrown for a send that hangs while the cluster answers other questions. */
export class StalledSendError extends Error {
  override readonly name = 'StalledSendError';
}

/** A cluster that has just come back gets so long to answer what was sent to it before. */
const RECOVERY_MS = 10_000;

/**
 * The send's own outcome, unless it hangs for `afterMs` and the cluster answers meanwhile: asked twice, some seconds
 * apart. While the cluster does not answer, waiting is right: giving up would only double what is in flight.
 * @throws StalledSendError; or what the send throws
 */
export async function unlessStalled<T>(
  send: Promise<T>,
  options: { afterMs: number; answers: () => Promise<boolean>; aborted: AbortSignal },
): Promise<T> {
  const over = new AbortController();
  const stalled = watch(options, AbortSignal.any([over.signal, options.aborted]));
  try {
    return await Promise.race([send, stalled]);
  } finally {
    over.abort();
    stalled.catch(() => undefined);
  }
}

async function watch(options: { afterMs: number; answers: () => Promise<boolean> }, over: AbortSignal): Promise<never> {
  const recoveryMs = Math.min(options.afterMs, RECOVERY_MS);
  for (;;) {
    await sleep(options.afterMs, undefined, { signal: over });
    if (!(await options.answers())) continue;
    await sleep(recoveryMs, undefined, { signal: over });
    if (await options.answers())
      throw new StalledSendError(`no answer within ${options.afterMs} ms from a cluster that works`);
  }
}
