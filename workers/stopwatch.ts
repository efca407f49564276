/** Knows how long what goes on now has been going on. */
export interface Stopwatch {
  time<T>(work: () => Promise<T>): Promise<T>;
  /** Age of the oldest work that has not ended, ms; 0 when there is none. */
  oldestMs(): number;
}

export function createStopwatch(now: () => number = () => performance.now()): Stopwatch {
  // In the order they began: the first one is the oldest.
  const begun = new Map<symbol, number>();
  return {
    time: async (work) => {
      const id = Symbol('work');
      begun.set(id, now());
      try {
        return await work();
      } finally {
        begun.delete(id);
      }
    },
    oldestMs: () => {
      const oldest = begun.values().next();
      return oldest.done ? 0 : now() - oldest.value;
    },
  };
}
