import { describe, expect, it } from '@jest/globals';
import { createLimiter } from '../../platform/limiter.ts';

describe('a limiter', () => {
  it('runs no more than the limit at once, and all in the end', async () => {
    const limiter = createLimiter(3);
    let running = 0;
    let most = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      done++;
    };
    await Promise.all(Array.from({ length: 20 }, () => limiter(work)));
    expect({ most, done }).toEqual({ most: 3, done: 20 });
  });

  it('goes on after a failure', async () => {
    const limiter = createLimiter(1);
    const failed = limiter(() => Promise.reject(new Error('no')));
    const next = limiter(() => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
  });
});
