import { describe, expect, it } from '@jest/globals';
import { isOmsError } from '../../domain/errors.ts';
import type { Fault } from '../../domain/errors.ts';
import { toIncomingEvent } from '../../orders/intake/order-event.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { address, amended, cancelled, customerAction, item, placed } from '../helpers/order-events.ts';

const record = {
  topic: 'orders',
  partition: 0,
  offset: 0n,
  key: null,
  value: Buffer.from('bytes'),
  timestamp: 0,
  headers: {},
};

function refusal(event: OrderEvent): { code: string; fault: Fault | undefined } | 'taken' {
  try {
    toIncomingEvent(event, record);
    return 'taken';
  } catch (error) {
    if (!isOmsError(error)) throw error;
    return { code: error.code, fault: error.fault };
  }
}

const id = (fields: Partial<OrderEvent>): OrderEvent => ({ ...placed('o-1'), ...fields });
const lines = (...items: ReturnType<typeof item>[]): OrderEvent => placed('o-1', { items });
const many = Array.from({ length: 5_001 }, (_, i) => item(`SKU-${i}`));

const REFUSED: [what: string, event: OrderEvent, field: string, value: string, rule: RegExp][] = [
  ['an empty order id', id({ orderId: '' }), 'orderId', '""', /1 to 128 characters of A-Z/],
  ['an order id of 129 characters', id({ orderId: 'x'.repeat(129) }), 'orderId', 'xxx', /1 to 128/],
  ['an order id of 1,001 characters', id({ orderId: 'x'.repeat(1_001) }), 'orderId', 'xxx', /1 to 128/],
  ['an order id with a control character', id({ orderId: 'a\u0007b' }), 'orderId', '"a\\u0007b"', /1 to 128/],
  ['an order id beyond ASCII', id({ orderId: 'bestellung-ü' }), 'orderId', '"bestellung-ü"', /1 to 128/],
  ['an order id with a colon', id({ orderId: 'a:1' }), 'orderId', '"a:1"', /1 to 128/],
  ['an order id with a space', id({ orderId: 'a b' }), 'orderId', '"a b"', /1 to 128/],
  ['an empty event id', id({ eventId: '' }), 'eventId', '""', /1 to 200 characters/],
  ['an event id of 201 characters', id({ eventId: 'e'.repeat(201) }), 'eventId', 'eee', /1 to 200/],
  ['an event id with a line break', id({ eventId: 'a\nb' }), 'eventId', '"a\\nb"', /control character/],
  ['an empty source', id({ source: '' }), 'source', '""', /1 to 100 characters/],
  ['a source of 101 characters', id({ source: 's'.repeat(101) }), 'source', 'sss', /1 to 100/],
  ['a time before 1970', id({ occurredAt: -1 }), 'occurredAt', '-1', /since 1970/],
  ['a time no calendar has', id({ occurredAt: 9e15 }), 'occurredAt', '9000000000000000', /year 9999/],
  ['a negative sequence', id({ sequence: -1 }), 'sequence', '-1', /whole number/],
  ['a missing customer', placed('o-1', { customerId: '' }), 'payload.customerId', '""', /1 to 128/],
  ['a customer of 129 characters', placed('o-1', { customerId: 'c'.repeat(129) }), 'payload.customerId', 'ccc', /128/],
  ['an empty currency', placed('o-1', { currency: '' }), 'payload.currency', '""', /ISO 4217/],
  ['a currency in small letters', placed('o-1', { currency: 'gbp' }), 'payload.currency', '"gbp"', /ISO 4217/],
  ['a currency that does not exist', placed('o-1', { currency: 'QQQ' }), 'payload.currency', '"QQQ"', /ISO 4217/],
  ['no items', lines(), 'payload.items', '0', /1 to 5,000 lines/],
  ['5,001 items', placed('o-1', { items: many }), 'payload.items', '5001', /1 to 5,000 lines/],
  ['an empty SKU', lines(item('')), 'payload.items[0].sku', '""', /1 to 128/],
  ['a SKU with U+0000', lines(item('a\u0000')), 'payload.items[0].sku', '"a\\u0000"', /control character/],
  ['a quantity of zero', lines(item(), item('B', { quantity: 0 })), 'payload.items[1].quantity', '0', /from 1 to/],
  ['a negative quantity', lines(item('A', { quantity: -3 })), 'payload.items[0].quantity', '-3', /from 1 to/],
  ['a negative unit price', lines(item('A', { unitPrice: -1 })), 'payload.items[0].unitPrice', '-1', /from 0 to/],
  [
    'a unit price past all reason',
    lines(item('A', { unitPrice: 2e15 })),
    'payload.items[0].unitPrice',
    '2000000000000000',
    /1,000,000,000,000,000/,
  ],
  [
    'a value whose sum is no exact amount',
    lines(item('A', { unitPrice: 9e14, quantity: 2_147_483_647 })),
    'payload.items',
    '1.932',
    /minor units in all/,
  ],
  [
    'a description with U+0000',
    lines(item('A', { description: 'a\u0000b' })),
    'payload.items[0].description',
    '"a\\u0000b"',
    /U\+0000/,
  ],
  [
    'an address line with U+0000',
    placed('o-1', { shipTo: { ...address, city: '\u0000' } }),
    'payload.shipTo.city',
    '"\\u0000"',
    /U\+0000/,
  ],
  [
    'an address without a country',
    placed('o-1', { shipTo: { ...address, country: '' } }),
    'payload.shipTo.country',
    '""',
    /1 to 100/,
  ],
  ['an amendment of nothing', amended('o-1'), 'payload', '{', /items, shipTo or both/],
  [
    'an amendment with a bad line',
    amended('o-1', { items: [item('A', { quantity: 0 })] }),
    'payload.items[0].quantity',
    '0',
    /from 1/,
  ],
  [
    "another order's fulfillment",
    cancelled('o-1', { fulfillmentId: 'o-2:1' }),
    'payload.fulfillmentId',
    '"o-2:1"',
    /fulfillment of this order, o-1:<n>, or null/,
  ],
  [
    'a fulfillment without a number',
    cancelled('o-1', { fulfillmentId: 'o-1:x' }),
    'payload.fulfillmentId',
    '"o-1:x"',
    /o-1:<n>/,
  ],
  ['fulfillment number 0', cancelled('o-1', { fulfillmentId: 'o-1:0' }), 'payload.fulfillmentId', '"o-1:0"', /o-1:<n>/],
  ['an unknown customer action', customerAction('o-1', 'Unknown'), 'payload.action', '"Unknown"', /Amend or Cancel/],
];

describe('an order event', () => {
  it.each(REFUSED)('with %s is refused by field, value and rule', (_what, event, field, value, rule) => {
    const found = refusal(event);
    expect(found).toMatchObject({ code: 'OMS_INGEST_FIELD_INVALID', fault: { field } });
    expect(found).toMatchObject({ fault: { value: expect.stringContaining(value) as unknown } });
    expect((found as { fault: Fault }).fault.rule).toMatch(rule);
  });

  it('with a payload of a later schema is refused as unknown', () => {
    const event = { ...placed('o-1'), payload: { 'oms.ReturnRequested': {} } as unknown as OrderEvent['payload'] };
    expect(refusal(event)).toMatchObject({
      code: 'OMS_INGEST_PAYLOAD_UNKNOWN',
      fault: { field: 'payload', value: '"oms.ReturnRequested"' },
    });
  });

  it('with a wish too long for a workflow to take is refused', () => {
    const items = Array.from({ length: 5_000 }, (_, i) => item(`SKU-${i}`, { description: '\u0001'.repeat(40) }));
    expect(refusal(amended('o-1', { items }))).toMatchObject({ code: 'OMS_INGEST_TOO_LARGE' });
  });

  it.each([
    ['5,000 lines', placed('o-1', { items: many.slice(1) })],
    ['an order id of 128 characters', id({ orderId: 'x'.repeat(128) })],
    ['no price', lines(item('A', { unitPrice: null }))],
    ['a price of nothing', lines(item('A', { unitPrice: 0 }))],
    ['the same SKU twice', lines(item('A'), item('A'))],
    ['a time in the future', id({ occurredAt: Date.UTC(2099, 0, 1) })],
    ['a yen', placed('o-1', { currency: 'JPY' })],
    ['an address', placed('o-1', { shipTo: address })],
    ['a fulfillment to cancel', cancelled('o-1', { fulfillmentId: 'o-1:12' })],
  ])('with %s is taken', (_what, event) => {
    expect(refusal(event)).toBe('taken');
  });
});
