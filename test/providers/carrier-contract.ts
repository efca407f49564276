import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { BookingRequest, CarrierProvider } from '../../providers/carrier/port.ts';

/** How a contract test gets the adapter it examines. */
export interface CarrierSubject {
  /** An adapter that has just been made, as after a restart, in front of the same carrier. Pick-up must not be soon. */
  provider(): CarrierProvider;
  /** A key the carrier will refuse, if there is a way to get one. */
  refusedKey?(): string;
  /** A booking that the carrier has picked up, if there is a way to get one. */
  pickedUp?(): Promise<string>;
}

/** What every adapter of the carrier port has to keep to. */
export function carrierContract(name: string, subject: CarrierSubject): void {
  const request = (key = `${randomUUID()}:1`): BookingRequest => ({
    key,
    warehouse: 'north',
    shipTo: null,
    items: [{ sku: 'MUG', quantity: 2 }],
  });

  describe(`${name} keeps to the carrier port`, () => {
    it('books with carrier, reference and tracking number', async () => {
      const outcome = await subject.provider().book(request());
      expect(outcome).toEqual({
        status: 'booked',
        carrier: expect.any(String),
        reference: expect.stringMatching(/./),
        trackingNumber: expect.stringMatching(/./),
      });
    });

    it('answers the same key with the first outcome, also when the request differs and after a restart', async () => {
      const booking = request();
      const first = await subject.provider().book(booking);
      expect(await subject.provider().book({ ...booking, warehouse: 'south' })).toEqual(first);
    });

    it('books once when the same key comes many times at once', async () => {
      const [provider, booking] = [subject.provider(), request()];
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => provider.book(booking)));
      expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    });

    it('tracks what is booked and nothing else, with the same id for the same news', async () => {
      const booking = request();
      expect(await subject.provider().track(booking.key)).toBeNull();
      await subject.provider().book(booking);
      const tracking = await subject.provider().track(booking.key);
      expect(tracking).toEqual({ status: 'booked', updateId: expect.any(String), at: expect.any(Number) });
      expect(await subject.provider().track(booking.key)).toEqual(tracking);
    });

    it('calls a booking off, again and again to the same end', async () => {
      const booking = request();
      await subject.provider().book(booking);
      expect(await subject.provider().cancel(booking.key)).toBe('cancelled');
      expect(await subject.provider().cancel(booking.key)).toBe('cancelled');
      expect(await subject.provider().track(booking.key)).toMatchObject({ status: 'cancelled' });
    });

    it('refuses a booking that arrives after it was called off', async () => {
      const booking = request();
      expect(await subject.provider().cancel(booking.key)).toBe('cancelled');
      expect(await subject.provider().book(booking)).toMatchObject({ status: 'refused' });
      expect(await subject.provider().cancel(booking.key)).toBe('cancelled');
    });

    it('picks nothing up when booking and calling off race', async () => {
      const booking = request();
      const [provider, other] = [subject.provider(), subject.provider()];
      const [, cancelled] = await Promise.all([provider.book(booking), other.cancel(booking.key)]);
      expect(cancelled).toBe('cancelled');
      expect(await subject.provider().track(booking.key)).toMatchObject({ status: 'cancelled' });
    });

    if (subject.pickedUp) {
      it('does not call off what is picked up', async () => {
        const key = (await subject.pickedUp?.()) ?? '';
        expect(await subject.provider().cancel(key)).toBe('alreadyPickedUp');
        expect(await subject.provider().track(key)).toMatchObject({ status: 'dispatched' });
      });
    }

    if (subject.refusedKey) {
      it('refuses with a reason, stays with it, and has nothing to track or call off', async () => {
        const booking = request(subject.refusedKey?.());
        const outcome = await subject.provider().book(booking);
        expect(outcome).toEqual({ status: 'refused', reason: expect.any(String) });
        expect(await subject.provider().book(booking)).toEqual(outcome);
        expect(await subject.provider().track(booking.key)).toBeNull();
        expect(await subject.provider().cancel(booking.key)).toBe('cancelled');
      });
    }
  });
}
