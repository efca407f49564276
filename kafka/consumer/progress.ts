/** What a consumer loop is doing, for its watchdog, health and metrics. */
export interface Progress {
  /** Something moved: a record finished, a chunk began, a pause was looked at. */
  note(): void;
  sinceMs(): number;
  begin(open: () => number): () => void;
  inFlight(): number;
  /** Age of the oldest chunk that is being handled. */
  oldestMs(): number;
  lastAt(): number;
}

export function createProgress(): Progress {
  let last = Date.now();
  const running = new Map<symbol, { startedAt: number; open: () => number }>();
  return {
    note: () => void (last = Date.now()),
    sinceMs: () => Date.now() - last,
    begin: (open) => {
      const key = Symbol('chunk');
      last = Date.now();
      running.set(key, { startedAt: last, open });
      return () => void running.delete(key);
    },
    inFlight: () => [...running.values()].reduce((sum, { open }) => sum + open(), 0),
    oldestMs: () => {
      const [oldest] = running.values();
      return oldest ? Date.now() - oldest.startedAt : 0;
    },
    lastAt: () => last,
  };
}
