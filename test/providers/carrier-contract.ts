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
  /** An adapter that has just been made, in front of the same carrier: its answers are lost on the way, or cannot be read. */
  unheard?: (how: 'lost' | 'malformed') => CarrierProvider;
  /** One whose calls do not reach the carrier. */
  cutOff?(): CarrierProvider;
}

/** It may be done, or not: asking again is safe, and tells. */
const UNKNOWN = { code: 'OMS_CARRIER_UNAVAILABLE', retryable: true };

/** What every adapter of the carrier port has to keep to. */
export function carrierContract(name: string, subject: CarrierSubject): void {
  const request = (key = `${randomUUID()}:1`): BookingRequest => ({
    key,
    warehouse: 'north',
    shipTo: null,
    items: [{ sku: 'MUG', quantity: 2 }],
    currency: 'GBP',
    service: null,
  });

  describe(`${name} keeps to the carrier port`, () => {
    it('books with carrier, reference and tracking number', async () => {
      const outcome = await subject.provider().book(request());
      expect(outcome).toMatchObject({
        status: 'booked',
        carrier: expect.any(String),
        reference: expect.stringMatching(/./),
        trackingNumber: expect.stringMatching(/./),
      });
      if (outcome.status !== 'booked') throw new Error('not booked');
      expect(outcome.service === null || outcome.service.length > 0).toBe(true);
      expect(outcome.price === null || (Number.isSafeInteger(outcome.price) && outcome.price >= 0)).toBe(true);
    });

    it('quotes in the currency asked for, and a quote changes nothing', async () => {
      const { service: _none, ...parcel } = request();
      const quotes = await subject.provider().quote(parcel);
      expect(quotes.length).toBeGreaterThan(0);
      for (const quote of quotes) {
        expect(quote).toMatchObject({ currency: 'GBP', carrier: expect.any(String), service: expect.any(String) });
        expect(Number.isSafeInteger(quote.price) && quote.price >= 0).toBe(true);
        expect(Number.isSafeInteger(quote.promisedDays) && quote.promisedDays >= 0).toBe(true);
      }
      expect(new Set(quotes.map(({ service }) => service)).size).toBe(quotes.length);
      expect(await subject.provider().quote(parcel)).toEqual(quotes);
      expect(await subject.provider().track(parcel.key)).toBeNull();
    });

    it('books the service asked for, and stays with it when a repeat asks for another', async () => {
      const booking = request();
      const [first, other] = await subject.provider().quote(booking);
      const asked = { ...booking, service: first?.service ?? null };
      const outcome = await subject.provider().book(asked);
      if (outcome.status === 'booked' && outcome.service !== null) expect(outcome.service).toBe(first?.service);
      expect(await subject.provider().book({ ...booking, service: other?.service ?? null })).toEqual(outcome);
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

    it('still refuses it when many of them arrive at once', async () => {
      const booking = request();
      await subject.provider().cancel(booking.key);
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => subject.provider().book(booking)));
      expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['refused']));
    });

    for (const how of ['lost', 'malformed'] as const) {
      if (!subject.unheard) break;
      it(`says that it does not know when an answer is ${how}; the booking is found by its key`, async () => {
        const booking = request();
        const { unheard } = subject;
        await expect(unheard?.(how).book(booking)).rejects.toMatchObject(UNKNOWN);
        expect(await subject.provider().track(booking.key)).toMatchObject({ status: 'booked' });
        const outcome = await subject.provider().book(booking);
        expect(outcome).toMatchObject({ status: 'booked' });
        expect(await subject.provider().book(booking)).toEqual(outcome);
      });

      it(`says that it does not know when the answer to a cancel is ${how}; asking again tells`, async () => {
        const booking = request();
        await subject.provider().book(booking);
        await expect(subject.unheard?.(how).cancel(booking.key)).rejects.toMatchObject(UNKNOWN);
        expect(await subject.provider().cancel(booking.key)).toBe('cancelled');
      });

      it(`never takes an answer that is ${how} for "not booked" or for "no offer"`, async () => {
        const booking = request();
        await subject.provider().book(booking);
        await expect(subject.unheard?.(how).track(booking.key)).rejects.toMatchObject(UNKNOWN);
        await expect(subject.unheard?.(how).quote(booking)).rejects.toMatchObject(UNKNOWN);
      });
    }

    if (subject.cutOff) {
      it('says that it does not know when the carrier cannot be reached', async () => {
        const [provider, booking] = [subject.cutOff?.(), request()];
        for (const call of [provider?.book(booking), provider?.cancel(booking.key), provider?.track(booking.key)]) {
          await expect(call).rejects.toMatchObject(UNKNOWN);
        }
        expect(await subject.provider().track(booking.key)).toBeNull();
      });
    }

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
