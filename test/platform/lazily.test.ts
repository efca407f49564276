import { describe, expect, it } from '@jest/globals';
import { lazily } from '../../platform/dependencies.ts';

describe('what is opened lazily', () => {
  it('is opened when it is first asked for, once for all who ask, and closed once', async () => {
    const done: string[] = [];
    const part = lazily(
      async () => done.push('opened'),
      async () => done.push('closed'),
    );
    expect(done).toEqual([]);
    await Promise.all([part.get(), part.get()]);
    await part.get();
    await part.close();
    expect(done).toEqual(['opened', 'closed']);
  });

  it('is not opened in order to be closed', async () => {
    const done: string[] = [];
    const part = lazily(
      async () => done.push('opened'),
      async () => done.push('closed'),
    );
    await part.close();
    expect(done).toEqual([]);
  });

  it('is tried again after it could not be opened', async () => {
    let tries = 0;
    const part = lazily(async () => {
      if (++tries === 1) throw new Error('not there yet');
      return tries;
    });
    await expect(part.get()).rejects.toThrow('not there yet');
    expect(await part.get()).toBe(2);
  });
});
