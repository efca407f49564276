import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseEvent, readEvents } from '../../operations/produce/read-events.ts';

const ITEM = { sku: '85123A', quantity: 2, unitPrice: 255 };
const ORDER = { customerId: 'c-1', currency: 'GBP', items: [ITEM] };
const EVENT = {
  eventId: 'e-1',
  orderId: 'A-1',
  occurredAt: '2026-01-31T12:00:00Z',
  source: 'shop',
  payload: { OrderPlaced: ORDER },
};
const parse = (event: unknown) => parseEvent(JSON.stringify(event));

describe('a line of order events', () => {
  it('may leave out what may be null, and write the time as text', () => {
    expect(parse(EVENT)).toEqual({
      ...EVENT,
      occurredAt: Date.UTC(2026, 0, 31, 12),
      sequence: null,
      payload: { 'oms.OrderPlaced': { ...ORDER, items: [{ ...ITEM, description: null }], shipTo: null } },
    });
  });

  it.each([
    ['a cancellation', { OrderCancelled: {} }, { 'oms.OrderCancelled': { reason: null, fulfillmentId: null } }],
    ['a customer action', { 'oms.CustomerAction': { action: 'Amend' } }, { 'oms.CustomerAction': { action: 'Amend' } }],
    [
      'an amendment',
      { OrderAmended: { shipTo: { country: 'GB' } } },
      {
        'oms.OrderAmended': {
          items: null,
          shipTo: { name: null, line1: null, line2: null, city: null, region: null, postalCode: null, country: 'GB' },
        },
      },
    ],
  ])('may be %s', (_what, payload, expected) => {
    expect(parse({ ...EVENT, payload }).payload).toEqual(expected);
  });

  it.each([
    ['no JSON', '{', '(line)'],
    ['a list', '[]', '(line)'],
    ['without an event id', JSON.stringify({ ...EVENT, eventId: undefined }), 'eventId'],
    ['with a field the schema does not have', JSON.stringify({ ...EVENT, evntId: 'x' }), 'evntId'],
    [
      'with a quantity that is text',
      JSON.stringify({ ...EVENT, payload: { OrderPlaced: { ...ORDER, items: [{ ...ITEM, quantity: '2' }] } } }),
      'payload',
    ],
    ['with a bad order id', JSON.stringify({ ...EVENT, orderId: 'A 1' }), 'orderId'],
    [
      'with a quantity of zero',
      JSON.stringify({ ...EVENT, payload: { OrderPlaced: { ...ORDER, items: [{ ...ITEM, quantity: 0 }] } } }),
      'payload.items[0].quantity',
    ],
    [
      'with an unknown currency',
      JSON.stringify({ ...EVENT, payload: { OrderPlaced: { ...ORDER, currency: 'XXQ' } } }),
      'payload.currency',
    ],
    ['without items', JSON.stringify({ ...EVENT, payload: { OrderPlaced: { ...ORDER, items: [] } } }), 'payload.items'],
    ['with an unknown payload', JSON.stringify({ ...EVENT, payload: { OrderEaten: {} } }), 'payload'],
    ['with a time that is none', JSON.stringify({ ...EVENT, occurredAt: 'now' }), 'occurredAt'],
  ])('%s is refused, naming the field, its value and the rule', (_what, line, field) => {
    expect(() => parseEvent(line)).toThrow(
      expect.objectContaining({
        fault: {
          field: expect.stringContaining(field),
          value: expect.any(String),
          rule: expect.stringMatching(/^must /),
        },
      }),
    );
  });
});

describe('a file of order events', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'oms-produce-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is read whole: each bad line with its number, the good ones as events', async () => {
    const file = path.join(folder, 'events.jsonl');
    writeFileSync(file, [JSON.stringify(EVENT), '', '{', JSON.stringify({ ...EVENT, source: '' }), ''].join('\n'));
    const { events, faults } = await readEvents(file);
    expect(events.map(({ eventId }) => eventId)).toEqual(['e-1']);
    expect(faults.map(({ line, field }) => [line, field])).toEqual([
      [3, '(line)'],
      [4, 'source'],
    ]);
  });

  it('that is not there is refused', async () => {
    await expect(readEvents(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'OMS_CLI_INPUT_INVALID' });
  });
});
