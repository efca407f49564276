import { describe, expect, it } from '@jest/globals';
import { waitBefore } from '../../workers/activities/failures.ts';

describe('the wait before another attempt at a provider', () => {
  it('doubles from half a second up to the configured limit, and stays there', () => {
    const waits = [2, 3, 4, 5, 6, 7, 500].map((attempt) => waitBefore(attempt, 5_000));
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
  });

  it('is never longer than the limit, however short that is', () => {
    expect(waitBefore(2, 100)).toBe(100);
  });
});
