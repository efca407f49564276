import { setTimeout as delay } from 'node:timers/promises';
import type { Check } from './health.ts';
import type { Logger } from './logger.ts';

/** Something ingest cannot work without: resolves when it is there, else says why not. */
export type Probe = () => Promise<unknown>;

const MAX_WAIT_MS = 5_000;

/** Waits until each has been there once, saying which it waits for; ends early when `signal` aborts. */
export async function waitForAll(
  probes: Record<string, Probe>,
  logger: Logger,
  signal: AbortSignal,
  note: (waiting: Record<string, string>) => void = () => undefined,
): Promise<void> {
  const waiting: Record<string, string> = Object.fromEntries(
    Object.keys(probes).map((name) => [name, `${name}: being asked for the first time`]),
  );
  const waitFor = async ([name, probe]: [string, Probe]): Promise<void> => {
    for (let wait = 200; !signal.aborted; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
      const fault = await faultOf(probe);
      if (fault === null) delete waiting[name];
      else waiting[name] = `${name}: ${fault}`;
      note({ ...waiting });
      if (fault === null) return;
      logger.warn({ dependency: name, reason: fault }, 'waiting for a dependency');
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  };
  await Promise.all(Object.entries(probes).map(waitFor));
}

async function faultOf(probe: Probe): Promise<string | null> {
  try {
    await probe();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const FRESH_MS = 2_000;

/** A probe as a health check, asked at most every 2 s however often the check is. */
export function checkOf(probe: Probe): Check {
  let asked: Promise<string | null> | undefined;
  let askedAt = -Infinity;
  return () => {
    const now = performance.now();
    if (!asked || now - askedAt > FRESH_MS) {
      askedAt = now;
      asked = faultOf(probe);
    }
    return asked;
  };
}

/** Something that is opened when it is first asked for. */
export interface Lazy<T> {
  /** Asked by several at once, it is opened once; after a failure it is tried again. */
  get: () => Promise<T>;
  /** Closes it if it was opened. */
  close: () => Promise<void>;
}

export function lazily<T>(open: () => Promise<T>, close: (opened: T) => Promise<unknown> = async () => {}): Lazy<T> {
  let opening: Promise<T> | undefined;
  return {
    get: () =>
      (opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      })),
    close: async () => {
      // Whoever asked for it was told why it could not be opened.
      const opened = await opening?.catch(() => undefined);
      if (opened !== undefined) await close(opened);
    },
  };
}
