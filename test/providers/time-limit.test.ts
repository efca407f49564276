import { describe, expect, it } from '@jest/globals';
import { withTimeLimit } from '../../providers/time-limit.ts';

describe('a port with a time limit', () => {
  const limit = { ms: 20, away: 'OMS_CARRIER_UNAVAILABLE' } as const;

  it('answers as the port does, and fails as it does', async () => {
    const port = {
      track: (key: string) => Promise.resolve(`${key} is here`),
      cancel: () => Promise.reject(new Error('no')),
    };
    const limited = withTimeLimit(port, limit);
    expect(await limited.track('a:1')).toBe('a:1 is here');
    await expect(limited.cancel()).rejects.toThrow('no');
  });

  it('does not know what came of a call that is not answered in time', async () => {
    const limited = withTimeLimit({ book: () => new Promise<string>(() => undefined) }, limit);
    await expect(limited.book()).rejects.toMatchObject({
      code: 'OMS_CARRIER_UNAVAILABLE',
      retryable: true,
      message: 'no answer to book within 20 ms',
    });
  });
});
