import { describe, expect, it } from '@jest/globals';
import { createMemory } from '../../temporal/retention.ts';

const HOUR = 60 * 60 * 1_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 5, 1);
const RETENTION = 3 * DAY;

const event = (recordMs: number, occurredAt = recordMs) => ({ record: { timestamp: recordMs }, occurredAt });
const memory = (ledgerSinceMs: number | undefined) =>
  createMemory({ ledgerSinceMs, retentionMs: RETENTION, now: () => NOW });
const isStale = (ledgerSinceMs: number | undefined, one: ReturnType<typeof event>): boolean =>
  memory(ledgerSinceMs).staleness(one) !== undefined;

describe('an order the ledger does not know', () => {
  it('is new, however old it is, to a ledger that was there from the first order on', () => {
    expect(isStale(undefined, event(0))).toBe(false);
  });

  it('is new if it came after the ledger was complete', () => {
    expect(isStale(NOW - 30 * DAY, event(NOW - 29 * DAY))).toBe(false);
  });

  it('from before the ledger is for Temporal to tell while it would still remember', () => {
    expect(isStale(NOW, event(NOW - DAY))).toBe(false);
    expect(isStale(NOW, event(NOW - RETENTION + 2 * HOUR))).toBe(false);
  });

  it('that both may have forgotten is stale, an hour before Temporal forgets: clocks differ', () => {
    expect(isStale(NOW, event(NOW - RETENTION + HOUR / 2))).toBe(true);
    expect(isStale(NOW - 10 * DAY, event(NOW - 9 * DAY))).toBe(false);
    expect(isStale(NOW - 10 * DAY, event(NOW - 11 * DAY))).toBe(true);
  });

  it('is as old as the older of its two times, and a record without a time is as old as can be', () => {
    expect(isStale(NOW, event(NOW, NOW - 10 * DAY))).toBe(true);
    expect(isStale(NOW, event(NOW - 10 * DAY, NOW))).toBe(true);
    expect(isStale(NOW, event(-1, NOW))).toBe(true);
  });

  it('is refused with its time, and the time from which on it could be told', () => {
    expect(memory(NOW).staleness(event(0))).toMatchObject({
      code: 'OMS_INGEST_STALE',
      fault: {
        field: 'occurredAt',
        value: '"1970-01-01T00:00:00.000Z"',
        rule: expect.stringContaining('2026-05-29T01:00'),
      },
    });
  });
});
