import { describe, expect, it } from '@jest/globals';
import { OmsError } from '../../domain/errors.ts';
import { createQuickAttempt } from '../../workers/activities/fulfil.ts';

const failing = (): Promise<never> => Promise.reject(new OmsError('OMS_PAYMENT_UNAVAILABLE', 'away'));
const answering = (): Promise<string> => Promise.resolve('answer');

describe('A quick attempt at a provider', () => {
  it('is the call itself while the provider answers', async () => {
    const attempt = createQuickAttempt('OMS_PAYMENT_UNAVAILABLE');
    expect(await attempt(answering)).toBe('answer');
    expect(await attempt(answering)).toBe('answer');
  });

  it('is refused without a call for a while after a failure, then tried again', async () => {
    let clock = 0;
    const attempt = createQuickAttempt('OMS_PAYMENT_UNAVAILABLE', () => clock);
    await expect(attempt(failing)).rejects.toThrow('away');
    await expect(attempt(answering)).rejects.toThrow('a moment ago');
    clock = 5_001;
    expect(await attempt(answering)).toBe('answer');
  });
});
