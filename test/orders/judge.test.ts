import { describe, expect, it } from '@jest/globals';
import type { LedgerEntry, LedgerView } from '../../database/ledger/ledger.ts';
import type { LedgerState } from '../../database/tables/ledger.ts';
import { judge, orderViews } from '../../orders/intake/judge.ts';
import { fingerprint, toIncomingEvent } from '../../orders/intake/order-event.ts';
import type { IncomingEvent, PlacedEvent } from '../../orders/intake/order-event.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { createMemory } from '../../temporal/retention.ts';
import type { Memory } from '../../temporal/retention.ts';
import { cancelled, item, placed } from '../helpers/order-events.ts';

let offset = 0n;
function incoming(event: OrderEvent): IncomingEvent {
  const value = Buffer.from(JSON.stringify(event));
  const record = { topic: 'orders', partition: 0, offset: offset++, key: null, value, timestamp: 0, headers: {} };
  return toIncomingEvent(event, record);
}

function entry(state: LedgerState, order: OrderEvent = placed('o-1')): LedgerEntry {
  const event = incoming(order) as PlacedEvent;
  const known = state !== 'awaited';
  return {
    orderId: 'o-1',
    state,
    source: known ? event.source : null,
    fingerprint: known ? fingerprint(event.order) : null,
    fingerprintVersion: known ? 1 : null,
    placedEventId: known ? event.eventId : null,
  };
}

/** Judges events one after the other, as records of one batch, and gives back outcomes or codes. */
function judged(
  ledger: Partial<{ entry: LedgerEntry; events: LedgerView['events']; memory: Memory }>,
  ...events: OrderEvent[]
): string[] {
  const entries = new Map(ledger.entry ? [[ledger.entry.orderId, ledger.entry]] : []);
  const viewOf = orderViews({ entries, events: ledger.events ?? [] });
  return events.map(incoming).map((event) => {
    const verdict = judge(event, viewOf(event.orderId), ledger.memory);
    return 'error' in verdict ? verdict.error.code : verdict.outcome;
  });
}

const known = (event: OrderEvent, contentHash: Buffer | null = incoming(event).contentHash): LedgerView['events'] => [
  { orderId: event.orderId, eventId: event.eventId, contentHash, handled: true },
];
const other = (fields = {}) => placed('o-1', { items: [item('OTHER')] }, fields);

describe('a placed order', () => {
  it('nobody knows is claimed', () => {
    expect(judged({}, placed('o-1'))).toEqual(['claim']);
    expect(judged({ entry: entry('awaited') }, placed('o-1'))).toEqual(['claim']);
  });

  it('nobody remembers is stale, and only what the ledger does not know asks for that', () => {
    const memory = createMemory({ ledgerSinceMs: Date.now(), retentionMs: 1 });
    expect(judged({ memory }, placed('o-1'), placed('o-1'))).toEqual(['OMS_INGEST_STALE', 'OMS_INGEST_STALE']);
    expect(judged({ memory, entry: entry('awaited') }, placed('o-1'))).toEqual(['OMS_INGEST_STALE']);
    expect(judged({ memory, entry: entry('closed') }, placed('o-1'))).toEqual(['duplicate']);
    expect(judged({ memory, entry: entry('started') }, placed('o-1'), cancelled('o-1'))).toEqual([
      'duplicate',
      'signal',
    ]);
  });

  it('is a duplicate the second time in one batch, also under a new event id', () => {
    expect(judged({}, placed('o-1'), placed('o-1'), placed('o-1', {}, { eventId: 'again' }))).toEqual([
      'claim',
      'duplicate',
      'duplicate',
    ]);
  });

  it.each(['started', 'closed'] as const)('that is %s is a duplicate by its content', (state) => {
    expect(judged({ entry: entry(state) }, placed('o-1', {}, { eventId: 'new id', occurredAt: 1 }))).toEqual([
      'duplicate',
    ]);
  });

  it('that was claimed and not confirmed is started again, once a batch', () => {
    expect(judged({ entry: entry('claimed') }, placed('o-1'), placed('o-1'))).toEqual(['restart', 'duplicate']);
  });

  it.each(['claimed', 'started', 'closed'] as const)('with other content is a conflict while %s', (state) => {
    expect(judged({ entry: entry(state) }, other({ eventId: 'new id' }))).toEqual(['OMS_INGEST_ORDER_CONFLICT']);
  });

  it('with other content is a conflict within one batch, and the first wins', () => {
    expect(judged({}, placed('o-1'), other({ eventId: 'e2' }), placed('o-1'))).toEqual([
      'claim',
      'OMS_INGEST_ORDER_CONFLICT',
      'duplicate',
    ]);
  });

  it('from another source is a conflict, even with the same content', () => {
    const foreign = placed('o-1', {}, { source: 'till', eventId: 'till-1' });
    expect(judged({ entry: entry('started') }, foreign)).toEqual(['OMS_INGEST_ORDER_CONFLICT']);
    expect(judged({}, placed('o-1'), foreign)).toEqual(['claim', 'OMS_INGEST_ORDER_CONFLICT']);
  });

  it('under a known event id with other content is a conflict of events', () => {
    expect(judged({ entry: entry('started'), events: known(placed('o-1')) }, other())).toEqual([
      'OMS_INGEST_EVENT_CONFLICT',
    ]);
    expect(judged({}, placed('o-1'), other())).toEqual(['claim', 'OMS_INGEST_EVENT_CONFLICT']);
  });

  it('may say the same in other bytes under a known event id', () => {
    const again = placed('o-1', {}, { occurredAt: 1 });
    expect(judged({ entry: entry('started'), events: known(placed('o-1')) }, again)).toEqual(['duplicate']);
  });

  it('is compared by the function its ledger row was written with', () => {
    const future = { ...entry('started'), fingerprintVersion: 99 };
    expect(() => judged({ entry: future }, placed('o-1'))).toThrow('unknown fingerprint version 99');
  });
});

describe('a lifecycle event', () => {
  it('is parked while its order is unknown, and once only', () => {
    expect(judged({}, cancelled('o-1'), cancelled('o-1'))).toEqual(['park', 'duplicate']);
    expect(judged({ entry: entry('awaited') }, cancelled('o-1'))).toEqual(['park']);
  });

  it('is a signal once the order is there, also within one batch', () => {
    expect(judged({ entry: entry('started') }, cancelled('o-1'))).toEqual(['signal']);
    expect(judged({}, cancelled('o-1'), placed('o-1'), cancelled('o-1', {}, { eventId: 'c2' }))).toEqual([
      'park',
      'claim',
      'signal',
    ]);
  });

  it('is late when the order is closed, unless it was handled before', () => {
    expect(judged({ entry: entry('closed') }, cancelled('o-1'), cancelled('o-1'))).toEqual([
      'OMS_INGEST_LATE',
      'duplicate',
    ]);
    expect(judged({ entry: entry('closed'), events: known(cancelled('o-1')) }, cancelled('o-1'))).toEqual([
      'duplicate',
    ]);
  });

  it('a workflow wrote down by its id alone is a duplicate', () => {
    const events = known(cancelled('o-1'), null);
    expect(judged({ entry: entry('closed'), events }, cancelled('o-1', { reason: 'why not' }))).toEqual(['duplicate']);
  });

  it('with other content under a known event id is a conflict', () => {
    const changed = cancelled('o-1', { reason: 'changed' });
    expect(judged({ entry: entry('started'), events: known(cancelled('o-1')) }, changed)).toEqual([
      'OMS_INGEST_EVENT_CONFLICT',
    ]);
    expect(judged({}, cancelled('o-1'), changed)).toEqual(['park', 'OMS_INGEST_EVENT_CONFLICT']);
  });

  it('may not carry the id of the event that placed the order', () => {
    expect(judged({}, placed('o-1'), cancelled('o-1', {}, { eventId: 'o-1/placed' }))).toEqual([
      'claim',
      'OMS_INGEST_EVENT_CONFLICT',
    ]);
  });
});
