import { describe, expect, it } from '@jest/globals';
import { OmsError } from '../../domain/errors.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { quickAttempt } from '../../workers/activities/quick.ts';

const PROGRESS: OrderProgress = { version: 1, status: 'processing', fulfillments: [] };
const unavailable = (): OmsError => new OmsError('OMS_PAYMENT_UNAVAILABLE', 'away');

describe('A quick attempt at a provider', () => {
  it('is the call itself while the provider answers', async () => {
    const attempt = quickAttempt(() => Promise.resolve(PROGRESS), 'OMS_PAYMENT_UNAVAILABLE');
    expect(await attempt('o', ['o:1'])).toBe(PROGRESS);
  });

  it('is refused without a call for a while after a failure, then tried again', async () => {
    let clock = 0;
    let calls = 0;
    const call = (): Promise<OrderProgress> => {
      calls++;
      return calls === 1 ? Promise.reject(unavailable()) : Promise.resolve(PROGRESS);
    };
    const attempt = quickAttempt(call, 'OMS_PAYMENT_UNAVAILABLE', () => clock);
    await expect(attempt('o', [])).rejects.toThrow('away');
    await expect(attempt('o', [])).rejects.toThrow('a moment ago');
    expect(calls).toBe(1);
    clock = 5_001;
    expect(await attempt('o', [])).toBe(PROGRESS);
  });
});
