/** First and longest wait before an order that was held back is tried again, ms. */
const WAITS = { first: 500, longest: 60_000 } as const;

/** Orders one of whose events could not be sent. Their later events wait with it; other orders don't. */
export interface HeldOrders {
  /** Returns how long the order waits now, ms: longer each time in a row. */
  add(orderId: string): number;
  /** The order went on. */
  remove(orderId: string): void;
  /** Orders whose wait is not over. */
  waiting(): string[];
}

export function createHeldOrders(now: () => number = () => performance.now()): HeldOrders {
  const held = new Map<string, { waitMs: number; until: number }>();
  return {
    add: (orderId) => {
      const waitMs = Math.min((held.get(orderId)?.waitMs ?? WAITS.first / 2) * 2, WAITS.longest);
      held.set(orderId, { waitMs, until: now() + waitMs });
      return waitMs;
    },
    remove: (orderId) => void held.delete(orderId),
    waiting: () => [...held].filter(([, { until }]) => until > now()).map(([orderId]) => orderId),
  };
}
