import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ChargeRequest, PaymentProvider } from '../../providers/payment/port.ts';

/** How a contract test gets the adapter it examines. */
export interface PaymentSubject {
  /** An adapter that has just been made, as after a restart, in front of the same provider. */
  provider(): PaymentProvider;
  /** A key the provider will decline, if there is a way to get one. */
  declinedKey?(): string;
}

/** What every adapter of the payment port has to keep to. */
export function paymentContract(name: string, subject: PaymentSubject): void {
  const request = (over: Partial<ChargeRequest> = {}): ChargeRequest => ({
    key: `${randomUUID()}:1`,
    customerId: 'customer-1',
    currency: 'GBP',
    amount: 1_999,
    ...over,
  });

  describe(`${name} keeps to the payment port`, () => {
    it('approves a charge with a reference and an authorisation code', async () => {
      const outcome = await subject.provider().charge(request());
      expect(outcome).toEqual({ status: 'approved', reference: expect.any(String), authCode: expect.any(String) });
      expect(outcome.reference).not.toBe('');
    });

    it('gives charges of different keys different references', async () => {
      const outcomes = await Promise.all([request(), request()].map((charge) => subject.provider().charge(charge)));
      expect(new Set(outcomes.map(({ reference }) => reference)).size).toBe(2);
    });

    it('answers the same key with the first outcome, also when the request differs and after a restart', async () => {
      const charge = request();
      const first = await subject.provider().charge(charge);
      expect(await subject.provider().charge(charge)).toEqual(first);
      expect(await subject.provider().charge({ ...charge, amount: 5 })).toEqual(first);
    });

    it('charges once when the same key comes many times at once', async () => {
      const [provider, charge] = [subject.provider(), request()];
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => provider.charge(charge)));
      expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    });

    it('tells the outcome of a key, null for one it has never seen', async () => {
      const charge = request();
      expect(await subject.provider().get(charge.key)).toBeNull();
      const outcome = await subject.provider().charge(charge);
      expect(await subject.provider().get(charge.key)).toEqual(outcome);
    });

    it('refunds an approved charge, again and again to the same end', async () => {
      const charge = request();
      const outcome = await subject.provider().charge(charge);
      await subject.provider().refund(charge.key, 'order cancelled');
      await subject.provider().refund(charge.key, 'order cancelled');
      expect(await subject.provider().get(charge.key)).toEqual(outcome);
    });

    it('declines a charge that arrives after its refund', async () => {
      const charge = request();
      await subject.provider().refund(charge.key, 'order cancelled');
      const outcome = await subject.provider().charge(charge);
      expect(outcome.status).toBe('declined');
      expect(await subject.provider().get(charge.key)).toEqual(outcome);
    });

    it('takes no money when a charge and its refund race', async () => {
      const charge = request();
      const [outcome] = await Promise.all([
        subject.provider().charge(charge),
        subject.provider().refund(charge.key, 'race'),
      ]);
      expect(await subject.provider().charge(charge)).toEqual(outcome);
    });

    if (subject.declinedKey) {
      it('declines with a reason, and stays with it', async () => {
        const charge = request({ key: subject.declinedKey?.() ?? '' });
        const outcome = await subject.provider().charge(charge);
        expect(outcome).toEqual({ status: 'declined', reference: expect.any(String), reason: expect.any(String) });
        await subject.provider().refund(charge.key, 'order cancelled');
        expect(await subject.provider().charge(charge)).toEqual(outcome);
      });
    }
  });
}
