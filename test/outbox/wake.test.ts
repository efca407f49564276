import { describe, expect, it } from '@jest/globals';
import { createWake } from '../../outbox/sender.ts';

const FOR_EVER_MS = 2 ** 31 - 1;

describe('a wake', () => {
  it('ends a sleep before its time', async () => {
    const wake = createWake();
    const asleep = wake.sleep(FOR_EVER_MS);
    wake.now();
    await asleep;
  });

  it('is not missed when it comes while nobody sleeps', async () => {
    const wake = createWake();
    wake.now();
    wake.now();
    await wake.sleep(FOR_EVER_MS);
  });

  it('counts once: the sleep after the next lasts its time', async () => {
    const wake = createWake();
    wake.now();
    await wake.sleep(FOR_EVER_MS);
    const outcome = await Promise.race([
      wake.sleep(30).then(() => 'slept'),
      new Promise((resolve) => setImmediate(() => resolve('still asleep'))),
    ]);
    expect(outcome).toBe('still asleep');
  });
});
