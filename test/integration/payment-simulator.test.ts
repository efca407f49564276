import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { PaymentFault } from '../../platform/config/settings.ts';
import { createPaymentSimulator } from '../../providers/payment/simulator.ts';
import { createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { paymentContract } from '../providers/payment-contract.ts';

const DECLINE_BAD: FaultRule<PaymentFault>[] = [
  { kind: 'decline', share: 1, prefix: 'BAD-' },
  { kind: 'declineCapture', share: 1, prefix: 'LATE-' },
];
let test: TestDatabase;

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const simulator = (faults: FaultRule<PaymentFault>[]) => createPaymentSimulator({ db: test.db, latencyMs: 0, faults });
const charge = (key: string) => ({ key, customerId: 'customer-1', currency: 'GBP', amount: 700 });
const effectsOf = async (key: string) =>
  (await test.db.selectFrom('simulated_calls').select('outcome').where('key', '=', key).orderBy('id').execute()).map(
    ({ outcome }) => outcome,
  );

paymentContract('the payment simulator', {
  provider: () => simulator(DECLINE_BAD),
  forgetful: () => simulator([{ kind: 'malformed', share: 1, prefix: null }]),
  declinedKey: () => `BAD-${randomUUID()}:1`,
  declinedAtCaptureKey: () => `LATE-${randomUUID()}:1`,
});

describe('the payment simulator', () => {
  it('logs one effect a key, whatever is repeated', async () => {
    const [provider, key] = [simulator([]), `${randomUUID()}:1`];
    for (let i = 0; i < 3; i++) await provider.charge(charge(key));
    const refund = { key, refundKey: key, amount: 700, reason: 'cancelled' };
    await Promise.all([provider.refund(refund), provider.refund(refund)]);
    expect(await effectsOf(key)).toEqual(['approved', 'repeat', 'repeat', 'refunded', 'repeat']);
  });

  it('logs what became of money that is held', async () => {
    const [provider, kept, gone] = [simulator([]), `${randomUUID()}:1`, `${randomUUID()}:1`];
    for (const key of [kept, gone]) await provider.authorize(charge(key));
    for (let i = 0; i < 2; i++) await provider.capture({ key: kept, amount: 700 });
    for (let i = 0; i < 2; i++) await provider.void(gone, 'cancelled');
    expect(await effectsOf(kept)).toEqual(['authorized', 'captured', 'repeat']);
    expect(await effectsOf(gone)).toEqual(['authorized', 'voided', 'voided']);
  });

  it.each([['timeout'], ['error']] as const)('has done nothing after %s', async (kind) => {
    const key = `${randomUUID()}:1`;
    const failing = simulator([{ kind, share: 1, prefix: null }]);
    await expect(failing.charge(charge(key))).rejects.toMatchObject({
      code: 'OMS_PAYMENT_UNAVAILABLE',
      retryable: true,
    });
    expect(await simulator([]).get(key)).toBeNull();
  });

  it.each([['lost'], ['malformed']] as const)('has charged after %s, and asking shows it', async (kind) => {
    const key = `${randomUUID()}:1`;
    const failing = simulator([{ kind, share: 1, prefix: null }]);
    await expect(failing.charge(charge(key))).rejects.toMatchObject({ code: 'OMS_PAYMENT_UNAVAILABLE' });
    const found = await simulator([]).get(key);
    expect(found).toMatchObject({ status: 'captured', captured: 700 });
    expect(await simulator([]).charge(charge(key))).toMatchObject({ status: 'approved', reference: found?.reference });
    expect((await effectsOf(key)).filter((outcome) => outcome === 'approved')).toHaveLength(1);
  });

  it('comes through its faults when tried again, with one effect a key', async () => {
    const share = 0.2;
    const kinds = ['timeout', 'error', 'lost', 'malformed'] as const;
    const provider = simulator(kinds.map((kind) => ({ kind, share, prefix: null })));
    const keys = Array.from({ length: 30 }, () => `${randomUUID()}:1`);
    const persist = async (key: string): Promise<string> =>
      provider.charge(charge(key)).then(
        ({ status }) => status,
        () => persist(key),
      );
    expect(new Set(await Promise.all(keys.map(persist)))).toEqual(new Set(['approved']));
    const approved = await test.db
      .selectFrom('simulated_calls')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('key', 'in', keys)
      .where('outcome', '=', 'approved')
      .executeTakeFirst();
    expect(approved?.count).toBe(keys.length);
  });
});
