import { describe, expect, it } from '@jest/globals';
import { createStopwatch } from '../../workers/worker.ts';

describe('A stopwatch', () => {
  it('tells the age of the oldest work that goes on, and nothing once all has ended', async () => {
    let clock = 0;
    const stopwatch = createStopwatch(() => clock);
    const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    expect(stopwatch.oldestMs()).toBe(0);
    const one = stopwatch.time(() => first.promise);
    clock = 100;
    const two = stopwatch.time(() => second.promise);
    clock = 150;
    expect(stopwatch.oldestMs()).toBe(150);
    first.resolve('done');
    expect(await one).toBe('done');
    expect(stopwatch.oldestMs()).toBe(50);
    second.reject(new Error('failed'));
    await expect(two).rejects.toThrow('failed');
    expect(stopwatch.oldestMs()).toBe(0);
  });
});
