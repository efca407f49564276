import { setTimeout as sleep } from 'node:timers/promises';
import type { OnWait } from './patience.ts';

/** Something that must not be overloaded by a replay: how much waits there now, and the most that may. */
export interface Gauge {
  /** In words: `workflow tasks without a worker`. */
  what: string;
  limit: number;
  read(): Promise<number>;
}

/** Keeps a replay back while live orders wait. */
export interface Pressure {
  /** Resolves when no gauge is past its limit, or when aborted. A gauge that cannot be read keeps nobody back. */
  wait(signal: AbortSignal, onWait: OnWait): Promise<void>;
}

const FRESH_MS = 1_000;

/** A limit of 0 switches its gauge off. */
export function createPressure(gauges: readonly Gauge[]): Pressure {
  const watched = gauges.filter(({ limit }) => limit > 0);
  let readAt = -Infinity;
  const reason = async (): Promise<string | undefined> => {
    readAt = performance.now();
    const values = await Promise.all(watched.map((gauge) => gauge.read().catch(() => 0)));
    const past = watched.find(({ limit }, i) => (values[i] ?? 0) > limit);
    return past && `${values[watched.indexOf(past)]} ${past.what}, more than ${past.limit}`;
  };
  return {
    wait: async (signal, onWait) => {
      if (watched.length === 0 || performance.now() - readAt < FRESH_MS) return;
      let waited = false;
      for (let why = await reason(); why !== undefined && !signal.aborted; why = await reason()) {
        waited = true;
        onWait(why);
        await sleep(FRESH_MS, undefined, { signal }).catch(() => undefined);
      }
      if (waited) onWait(undefined);
    },
  };
}
