import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createWake, startSendLoop } from '../../outbox/sender.ts';
import type { SendLoop, Wake } from '../../outbox/sender.ts';

const FOR_EVER_MS = 2 ** 31 - 1;
const BATCH = 10;

interface Trial {
  loop: SendLoop;
  wake: Wake;
  /** Resolves when so many rounds have begun. */
  rounds: (n: number) => Promise<void>;
}

/** A loop whose rounds answer one after the other; after the last it finds nothing any more. */
function begin(...answers: (number | Error)[]): Trial {
  const wake = createWake();
  const waiting: { n: number; resolve: () => void }[] = [];
  let begun = 0;
  const round = (): Promise<number> => {
    const answer = answers[begun++] ?? 0;
    for (const { n, resolve } of waiting) if (begun >= n) resolve();
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const logger = pino({ level: 'silent' });
  const loop = startSendLoop({ sender: { round }, wake, batch: BATCH, pollMs: FOR_EVER_MS, logger });
  const rounds = (n: number): Promise<void> =>
    begun >= n ? Promise.resolve() : new Promise((resolve) => waiting.push({ n, resolve }));
  return { loop, wake, rounds };
}

describe('the send loop', () => {
  it('goes on by itself until a round finds nothing', async () => {
    const { loop, rounds } = begin(BATCH, BATCH, 1, 0);
    await rounds(4);
    await loop.stop();
  });

  it('looks again when the outbox announces itself', async () => {
    const { loop, wake, rounds } = begin(0, 0);
    await rounds(1);
    wake.now();
    await rounds(2);
    await loop.stop();
  });

  it('tries again after a failure, and says what was wrong until then', async () => {
    const { loop, wake, rounds } = begin(new Error('the database is away'), BATCH);
    await rounds(1);
    await Promise.resolve();
    expect(loop.check()).toBe('the database is away');
    wake.now();
    await rounds(3);
    expect(loop.check()).toBeNull();
    await loop.stop();
  });

  it('begins no round after it was stopped', async () => {
    const { loop, wake, rounds } = begin(0);
    await rounds(1);
    await loop.stop();
    const more = rounds(2).then(() => 'another round');
    wake.now();
    const nothing = new Promise((resolve) => setImmediate(() => resolve('nothing')));
    expect(await Promise.race([more, nothing])).toBe('nothing');
  });
});
