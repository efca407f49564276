import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { beating, heartbeatInterval } from '../../kafka/consumer/heartbeat.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const ANSWER_MS = 5;

/** As kafkajs sends them: none before the interval has passed since the last answer. */
function member(intervalMs: number) {
  let [sent, last] = [0, Date.now()];
  const heartbeat = async (): Promise<void> => {
    if (Date.now() < last + intervalMs) return;
    sent += 1;
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    last = Date.now();
  };
  return { heartbeat, sent: () => sent };
}

describe('heartbeats', () => {
  it('are sent soon after they are due, not every second time', async () => {
    const intervalMs = heartbeatInterval({});
    const { heartbeat, sent } = member(intervalMs);
    const end = beating(intervalMs, heartbeat);
    await jest.advanceTimersByTimeAsync(10 * intervalMs * 1.25);
    end();
    expect(sent()).toBe(10);
  });

  it('end with the work', async () => {
    const { heartbeat, sent } = member(100);
    beating(100, heartbeat)();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sent()).toBe(0);
  });

  it.each([
    [{}, 3_000],
    [{ sessionTimeoutMs: 30_000 }, 3_000],
    [{ sessionTimeoutMs: 6_000 }, 1_500],
    [{ sessionTimeoutMs: 6_000, heartbeatMs: 500 }, 500],
  ])('of %j are due every %i ms, four in a session at least', (options, intervalMs) => {
    expect(heartbeatInterval(options)).toBe(intervalMs);
  });
});
