import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ChargeRequest, PaymentProvider, PaymentState } from '../../providers/payment/port.ts';

/** How a contract test gets the adapter it examines. */
export interface PaymentSubject {
  /** An adapter that has just been made, as after a restart, in front of the same provider. */
  provider(): PaymentProvider;
  /** An adapter whose first answers to this operation get lost after it took effect, if there is a way to get one. */
  forgetful?(operation: 'charge' | 'authorize' | 'capture' | 'void' | 'refund'): PaymentProvider;
  /** A key the provider will decline, if there is a way to get one. */
  declinedKey?(): string;
  /** A key the provider will authorize, and decline at the capture, if there is a way to get one. */
  declinedAtCaptureKey?(): string;
}

const UNAVAILABLE = expect.objectContaining({ code: 'OMS_PAYMENT_UNAVAILABLE', retryable: true }) as unknown as Error;
const REFUSED = expect.objectContaining({ code: 'OMS_PAYMENT_REFUSED', retryable: false }) as unknown as Error;
const AMOUNT = 1_999;

/** What every adapter of the payment port has to keep to. */
export function paymentContract(name: string, subject: PaymentSubject): void {
  const request = (over: Partial<ChargeRequest> = {}): ChargeRequest => ({
    key: `${randomUUID()}:1`,
    customerId: 'customer-1',
    currency: 'GBP',
    amount: AMOUNT,
    ...over,
  });
  const refundOf = (key: string, amount: number, refundKey: string = randomUUID()) => ({
    key,
    refundKey,
    amount,
    reason: 'order cancelled',
  });
  const stateOf = async (key: string): Promise<Partial<PaymentState>> => (await subject.provider().get(key)) ?? {};
  /** A new payment, charged or authorized. */
  const made = async (operation: 'charge' | 'authorize'): Promise<string> => {
    const asked = request();
    await subject.provider()[operation](asked);
    return asked.key;
  };

  describe(`${name} keeps to the payment port`, () => {
    describe.each(['charge', 'authorize'] as const)('%s', (operation) => {
      const status = operation === 'charge' ? 'captured' : 'authorized';
      const captured = operation === 'charge' ? AMOUNT : 0;

      it('approves with a reference and an authorisation code, and the state says so', async () => {
        const asked = request();
        const outcome = await subject.provider()[operation](asked);
        expect(outcome).toEqual({ status: 'approved', reference: expect.any(String), authCode: expect.any(String) });
        expect(outcome.reference).not.toBe('');
        const { reference } = outcome;
        const expected = { status, amount: AMOUNT, captured, refunded: 0, reference, reason: null };
        expect(await stateOf(asked.key)).toMatchObject(expected);
      });

      it('gives different keys different references', async () => {
        const outcomes = await Promise.all([request(), request()].map((one) => subject.provider()[operation](one)));
        expect(new Set(outcomes.map(({ reference }) => reference)).size).toBe(2);
      });

      it('answers the same key with the first outcome, also when the request differs and after a restart', async () => {
        const asked = request();
        const first = await subject.provider()[operation](asked);
        expect(await subject.provider()[operation](asked)).toEqual(first);
        expect(await subject.provider()[operation]({ ...asked, amount: 5 })).toEqual(first);
        expect(await stateOf(asked.key)).toMatchObject({ amount: AMOUNT, captured });
      });

      it('does it once when the same key comes many times at once', async () => {
        const [provider, asked] = [subject.provider(), request()];
        const outcomes = await Promise.all(Array.from({ length: 10 }, () => provider[operation](asked)));
        expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
      });

      it('is declined when it arrives after the payment was given up', async () => {
        const asked = request();
        await subject.provider().void(asked.key, 'order cancelled');
        expect(await stateOf(asked.key)).toMatchObject({ status: 'voided', captured: 0 });
        expect(await subject.provider()[operation](asked)).toMatchObject({ status: 'declined' });
        expect(await stateOf(asked.key)).toMatchObject({ status: 'voided', captured: 0 });
      });

      it('and a void that race come to one end, and both know it', async () => {
        const asked = request();
        await Promise.all([subject.provider()[operation](asked), subject.provider().void(asked.key, 'race')]);
        await subject.provider().void(asked.key, 'race');
        const state = await stateOf(asked.key);
        expect([operation === 'charge' ? 'captured' : 'voided', 'voided']).toContain(state.status);
        const again = await subject.provider()[operation](asked);
        expect(again.status).toBe(state.status === 'captured' ? 'approved' : 'declined');
      });

      if (subject.declinedKey) {
        it('declines with a reason, stays with it, and there is nothing to void or give back', async () => {
          const asked = request({ key: subject.declinedKey?.() ?? '' });
          const outcome = await subject.provider()[operation](asked);
          expect(outcome).toEqual({ status: 'declined', reference: expect.any(String), reason: expect.any(String) });
          await subject.provider().void(asked.key, 'order cancelled');
          expect(await subject.provider()[operation](asked)).toEqual(outcome);
          expect(await stateOf(asked.key)).toMatchObject({ status: 'declined', captured: 0 });
          await expect(subject.provider().refund(refundOf(asked.key, 1))).rejects.toThrow(REFUSED);
        });
      }
      lostAnswer(operation, async (forgetful) => {
        const asked = request();
        await expect(forgetful[operation](asked)).rejects.toThrow(UNAVAILABLE);
        expect(await stateOf(asked.key)).toMatchObject({ status, captured });
        expect(await subject.provider()[operation](asked)).toMatchObject({ status: 'approved' });
        expect(await stateOf(asked.key)).toMatchObject({ status, captured });
      });
    });

    describe('capture', () => {
      it('takes what is held, once, whatever is asked later', async () => {
        const key = await made('authorize');
        expect(await subject.provider().capture({ key, amount: AMOUNT })).toEqual({
          status: 'captured',
          amount: AMOUNT,
        });
        expect(await subject.provider().capture({ key, amount: 5 })).toEqual({ status: 'captured', amount: AMOUNT });
        expect(await stateOf(key)).toMatchObject({ status: 'captured', captured: AMOUNT });
      });

      it('may take less than is held, and lets the rest go', async () => {
        const key = await made('authorize');
        await subject.provider().capture({ key, amount: 700 });
        await subject.provider().void(key, 'nothing more is wanted');
        expect(await stateOf(key)).toMatchObject({ status: 'captured', amount: AMOUNT, captured: 700 });
      });

      it('of more than is held is refused, and takes nothing', async () => {
        const key = await made('authorize');
        await expect(subject.provider().capture({ key, amount: AMOUNT + 1 })).rejects.toThrow(REFUSED);
        expect(await stateOf(key)).toMatchObject({ status: 'authorized', captured: 0 });
      });

      it('takes once when it comes many times at once', async () => {
        const [provider, key] = [subject.provider(), await made('authorize')];
        const outcomes = await Promise.all([1, 2, 3, 4, 5].map((n) => provider.capture({ key, amount: 100 * n })));
        expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
        expect([{ status: 'captured', amount: (await stateOf(key)).captured }]).toContainEqual(outcomes[0]);
      });

      it('of what was voided, or is not known, is declined', async () => {
        const key = await made('authorize');
        await subject.provider().void(key, 'order cancelled');
        for (const gone of [key, request().key]) {
          const outcome = await subject.provider().capture({ key: gone, amount: 1 });
          expect(outcome).toEqual({ status: 'declined', reason: expect.any(String) });
        }
      });

      it('and a void that race come to one end: all taken, or nothing', async () => {
        const key = await made('authorize');
        const [outcome] = await Promise.all([
          subject.provider().capture({ key, amount: AMOUNT }),
          subject.provider().void(key, 'race'),
        ]);
        const status = outcome.status === 'captured' ? 'captured' : 'voided';
        expect(await stateOf(key)).toMatchObject({ status, captured: status === 'captured' ? AMOUNT : 0 });
      });

      if (subject.declinedAtCaptureKey) {
        it('may be declined, with a reason, and stays so', async () => {
          const asked = request({ key: subject.declinedAtCaptureKey?.() ?? '' });
          expect(await subject.provider().authorize(asked)).toMatchObject({ status: 'approved' });
          const outcome = await subject.provider().capture({ key: asked.key, amount: AMOUNT });
          expect(outcome).toEqual({ status: 'declined', reason: expect.any(String) });
          expect(await subject.provider().capture({ key: asked.key, amount: AMOUNT })).toEqual(outcome);
          expect(await stateOf(asked.key)).toMatchObject({ status: 'declined', captured: 0 });
        });
      }
      lostAnswer('capture', async (forgetful) => {
        const key = await made('authorize');
        await expect(forgetful.capture({ key, amount: 700 })).rejects.toThrow(UNAVAILABLE);
        expect(await subject.provider().capture({ key, amount: 700 })).toEqual({ status: 'captured', amount: 700 });
      });
    });

    describe('void', () => {
      it('lets go what is held, again and again to the same end', async () => {
        const key = await made('authorize');
        await subject.provider().void(key, 'order cancelled');
        await subject.provider().void(key, 'order cancelled');
        expect(await stateOf(key)).toMatchObject({ status: 'voided', captured: 0, reason: expect.any(String) });
      });

      it('leaves what is captured', async () => {
        const key = await made('charge');
        await subject.provider().void(key, 'order cancelled');
        expect(await stateOf(key)).toMatchObject({ status: 'captured', captured: AMOUNT, refunded: 0 });
      });

      lostAnswer('void', async (forgetful) => {
        const key = await made('authorize');
        await expect(forgetful.void(key, 'order cancelled')).rejects.toThrow(UNAVAILABLE);
        expect(await stateOf(key)).toMatchObject({ status: 'voided' });
      });
    });

    describe('refund', () => {
      it('gives back all that was taken, once for each key of a refund', async () => {
        const key = await made('charge');
        const refund = refundOf(key, AMOUNT);
        for (let i = 0; i < 3; i++) await subject.provider().refund(refund);
        expect(await stateOf(key)).toMatchObject({ status: 'captured', captured: AMOUNT, refunded: AMOUNT });
      });

      it('may be of a part, several times, never of more than was taken', async () => {
        const key = await made('charge');
        await subject.provider().refund(refundOf(key, 999));
        await subject.provider().refund(refundOf(key, 500));
        await expect(subject.provider().refund(refundOf(key, 501))).rejects.toThrow(REFUSED);
        expect(await stateOf(key)).toMatchObject({ refunded: 1_499 });
        await subject.provider().refund(refundOf(key, 500));
        expect(await stateOf(key)).toMatchObject({ refunded: AMOUNT });
      });

      it('counts what was captured, not what was authorized', async () => {
        const key = await made('authorize');
        await expect(subject.provider().refund(refundOf(key, 1))).rejects.toThrow(REFUSED);
        await subject.provider().capture({ key, amount: 700 });
        await expect(subject.provider().refund(refundOf(key, 701))).rejects.toThrow(REFUSED);
        await subject.provider().refund(refundOf(key, 700));
        expect(await stateOf(key)).toMatchObject({ captured: 700, refunded: 700 });
      });

      it('of what is not known is refused', async () => {
        await expect(subject.provider().refund(refundOf(request().key, 1))).rejects.toThrow(REFUSED);
      });

      it('holds to all that when many come at once', async () => {
        const [provider, key] = [subject.provider(), await made('charge')];
        const refunds = ['a', 'a', 'b', 'b', 'c', 'c'].map((name) => refundOf(key, 900, `${key}/${name}`));
        const outcomes = await Promise.allSettled(refunds.map((refund) => provider.refund(refund)));
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
        expect(await stateOf(key)).toMatchObject({ refunded: 1_800 });
      });

      lostAnswer('refund', async (forgetful) => {
        const key = await made('charge');
        const refund = refundOf(key, 800);
        await expect(forgetful.refund(refund)).rejects.toThrow(UNAVAILABLE);
        await subject.provider().refund(refund);
        expect(await stateOf(key)).toMatchObject({ refunded: 800 });
      });
    });

    it('knows nothing of a key it has never seen', async () => {
      expect(await subject.provider().get(request().key)).toBeNull();
    });
  });

  function lostAnswer(
    operation: Parameters<NonNullable<PaymentSubject['forgetful']>>[0],
    check: (forgetful: PaymentProvider) => Promise<void>,
  ): void {
    if (!subject.forgetful) return;
    it('has its effect once when the answer is lost and it is asked again', async () => {
      const forgetful = subject.forgetful?.(operation);
      if (forgetful) await check(forgetful);
    });
  }
}
