import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { settleCharges } from '../../api/commands/charge.ts';
import { fallbackPrice } from '../../domain/invoice.ts';
import { readDefaultLimits, readSpending } from '../../orders/money/spend.ts';
import type { PaymentProvider } from '../../providers/payment/port.ts';
import { createPaymentSimulator } from '../../providers/payment/simulator.ts';
import { always } from '../helpers/fulfillment-world.ts';
import { moneyFaults } from '../helpers/money-audit.ts';
import { silent } from '../helpers/order-world.ts';
import { createReferenceWorld, inject } from '../helpers/reference-world.ts';
import type { Answer, ReferenceWorld } from '../helpers/reference-world.ts';

let world: ReferenceWorld;
beforeAll(async () => {
  world = await createReferenceWorld({ payment: [always('decline', 'charge/poor')] });
});
afterAll(() => world.drop());
beforeEach(async () => {
  await world.post('/reset');
});

interface Charged {
  invoiceReference: string;
  subTotal: number;
  shipping: number;
  tax: number;
  total: number;
  success: boolean;
  authCode: string;
}
const VANS = [{ sku: 'Vans', quantity: 1 }];
const newKey = (name = 'key'): string => `${name}-${randomUUID().slice(0, 8)}`;
const body = (idempotencyKey: string, customerId = 'payer', items = VANS) => ({
  ...{ customerId, orderReference: 'ref', items },
  ...(idempotencyKey && { idempotencyKey }),
});
const charge = async (key: string, customerId?: string, items = VANS): Promise<Charged> => {
  const { status, json, text } = await world.post('/charge', body(key, customerId, items));
  if (status !== 200) throw new Error(`${status} ${text}`);
  return json as Charged;
};
const spent = async (customerId: string): Promise<number | undefined> =>
  (await readSpending(world.db, customerId, 1))[0]?.spent;
const limit = (amount: unknown): Promise<Answer> => world.post('/limit', { limit: amount });
const settings = async (): Promise<unknown> => (await world.get('/settings')).json;

describe('POST /charge', () => {
  it('draws an invoice, takes its total and answers both, in cents', async () => {
    const key = newKey();
    const price = fallbackPrice('reference', 'Vans') ?? 0;
    const items = [
      { sku: 'Vans', quantity: 2 },
      { sku: 'Puma', quantity: 1 },
    ];
    const answer = await world.post('/charge', body(key, 'exact', items));
    const { json, text, headers } = answer;
    const { invoiceReference, subTotal, shipping, tax, total, authCode } = json as Charged;
    expect(text).toBe(`${JSON.stringify(json)}\n`);
    expect(headers['content-type']).toBe('application/json');
    expect(Object.keys(json as object)).toEqual([
      ...['invoiceReference', 'subTotal', 'shipping', 'tax', 'total', 'success', 'authCode'],
    ]);
    expect(invoiceReference).toMatch(/^INV-\d{8}$/);
    expect(subTotal).toBe(2 * price + (fallbackPrice('reference', 'Puma') ?? 0));
    expect(total).toBe(subTotal + shipping + tax);
    expect(authCode).not.toBe('');
    expect(await world.charged(`charge/${key}`)).toEqual({ taken: total, refunded: 0 });
    expect(await spent('exact')).toBe(total);
    const invoice = await world.db
      .selectFrom('invoices')
      .selectAll()
      .where('invoice_id', '=', invoiceReference)
      .executeTakeFirst();
    expect(invoice).toMatchObject({ total, pricing: { priceFallback: 'reference' } });
  });

  it('answers the same to the same key for ever, whatever else it says, and charges once', async () => {
    const key = newKey();
    const first = await charge(key, 'once');
    const answers = await Promise.all([
      ...[charge(key, 'once'), charge(key, 'once', [{ sku: 'Puma', quantity: 9 }])],
      world.post('/charge', body('', 'once'), { 'idempotency-key': key }).then(({ json }) => json),
    ]);
    expect(answers).toEqual([first, first, first]);
    expect(await spent('once')).toBe(first.total);
  });

  it('charges once for a key that comes many times at once', async () => {
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 8 }, () => charge(key, 'crowd')));
    expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(await spent('crowd')).toBe(answers[0]?.total);
  });

  it('charges each time without a key', async () => {
    const [first, second] = [await charge('', 'twice'), await charge('', 'twice')];
    expect(first.invoiceReference).not.toBe(second.invoiceReference);
    expect(await spent('twice')).toBe(first.total + second.total);
  });

  it('answers a charge that is declined with its amounts and without success, and counts nothing as spent', async () => {
    const key = newKey('poor');
    const declined = await charge(key, 'poor');
    expect(declined).toMatchObject({ success: false, authCode: '', total: expect.any(Number) });
    expect(await charge(key, 'poor')).toEqual(declined);
    expect(await spent('poor')).toBe(0);
    expect(await world.charged(`charge/${key}`)).toEqual({ taken: 0, refunded: 0 });
  });

  it('does not ask the provider about what is over the limit', async () => {
    await limit(1);
    const key = newKey();
    expect(await charge(key, 'greedy')).toMatchObject({ success: false, authCode: '' });
    expect(await world.charged(`charge/${key}`)).toBeNull();
    await limit(0);
    expect(await charge(key, 'greedy')).toMatchObject({ success: false });
  });

  it.each([
    ['no body', undefined, /the body is empty/],
    ['not JSON', 'charge', /must be one JSON object/],
    ['nothing to charge', '{"customerId":"c","orderReference":"r"}', /^items is 0: must be 1 to 5,000 lines/],
    ['no customer', '{"orderReference":"r","items":[{"sku":"V","quantity":1}]}', /^customerId is "": must be/],
    ['no reference', '{"customerId":"c","items":[{"sku":"V","quantity":1}]}', /^orderReference is "": must be/],
    [
      'less than no pieces',
      '{"customerId":"c","orderReference":"r","items":[{"sku":"V","quantity":-1}]}',
      /quantity is -1/,
    ],
    ['no SKU', '{"customerId":"c","orderReference":"r","items":[{"quantity":1}]}', /^items\[0\]\.sku is ""/],
    [
      'a key no system compares',
      '{"customerId":"c","orderReference":"r","idempotencyKey":"\\u0000","items":[{"sku":"V","quantity":1}]}',
      /^idempotencyKey is/,
    ],
  ])('refuses %s with the reason alone', async (_name, sent, words) => {
    const answer = await world.send('POST', '/charge', sent === undefined ? {} : { body: sent });
    expect(answer).toMatchObject({ status: 400, text: expect.stringMatching(words) });
    expect(answer.text).not.toContain('{"invoice');
  });

  it('refuses amounts that are not exact any more, and takes no number for them', async () => {
    const many = [{ sku: 'Vans', quantity: 2_147_483_647 }];
    const items = Array.from({ length: 2_000 }, () => many).flat();
    const answer = await world.post('/charge', body(newKey(), 'rich', items));
    expect(answer).toMatchObject({ status: 422, text: expect.stringContaining('not an exact number') });
  });

  it('cannot charge what has no price, unless prices are made up', async () => {
    const app = await world.another({ OMS_PRICE_FALLBACK: 'none' });
    const key = newKey();
    const answer = await inject(app, 'POST', '/charge', { body: JSON.stringify(body(key)) });
    expect(answer).toMatchObject({ status: 422, text: 'no price for Vans in USD\n' });
    expect((await charge(key)).success).toBe(true);
  });
});

describe('A charge whose outcome is not known', () => {
  const simulator = (faults: Parameters<typeof createPaymentSimulator>[0]['faults'] = []): PaymentProvider =>
    createPaymentSimulator({ db: world.db, latencyMs: 0, faults });
  /** The charge of a process that ends before it has heard the provider. */
  const begun = async (fault: 'lost' | 'timeout'): Promise<string> => {
    const key = newKey(fault);
    const app = await world.another({}, { payment: simulator([{ kind: fault, share: 1, prefix: null }]) });
    const answer = await inject(app, 'POST', '/charge', { body: JSON.stringify(body(key, key)) });
    expect(answer).toMatchObject({ status: 503, text: expect.stringContaining('no answer') });
    return key;
  };
  const settle = () => settleCharges({ db: world.db, payment: simulator(), logger: silent }, 0);

  it.each(['lost', 'timeout'] as const)('goes on where it ended when its key comes again (%s)', async (fault) => {
    const key = await begun(fault);
    const { success, total } = await charge(key, key);
    expect(success).toBe(true);
    expect(await world.charged(`charge/${key}`)).toEqual({ taken: total, refunded: 0 });
    expect(await settle()).toBe(0);
  });

  it('is settled by what the provider took, if nobody asks again', async () => {
    const key = await begun('lost');
    expect(await settle()).toBe(1);
    expect(await charge(key, key)).toMatchObject({ success: true });
  });

  it('is off for good if the provider has not taken it by then', async () => {
    const key = await begun('timeout');
    expect(await settle()).toBe(1);
    expect(await charge(key, key)).toMatchObject({ success: false, authCode: '' });
    expect(await world.charged(`charge/${key}`)).toEqual({ taken: 0, refunded: 0 });
    expect(await spent(key)).toBe(0);
  });

  it('waits while the provider is away', async () => {
    const key = await begun('timeout');
    const away = simulator([{ kind: 'timeout', share: 1, prefix: null }]);
    expect(await settleCharges({ db: world.db, payment: away, logger: silent }, 0)).toBe(0);
    expect((await charge(key, key)).success).toBe(true);
  });
});

describe('Limits', () => {
  it('are 0 for none, and set to what they are given', async () => {
    expect(await settings()).toEqual({ limit: 0, maintenanceMode: false });
    const answer = await limit(5_000);
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers['content-length']).toBe('0');
    expect(answer.headers['content-type']).toBeUndefined();
    expect(await settings()).toEqual({ limit: 5_000, maintenanceMode: false });
    expect(await readDefaultLimits(world.db)).toEqual([{ currency: 'USD', limit: 5_000 }]);
  });

  it('round what is not a whole number of cents', async () => {
    await limit(1_998.999_999_999_999_8);
    expect(await settings()).toMatchObject({ limit: 1_999 });
  });

  it.each([[-1], [0], [0.2], [undefined], [null]])('go away with %s', async (none) => {
    await limit(5_000);
    expect((await limit(none)).status).toBe(200);
    expect(await settings()).toMatchObject({ limit: 0 });
    expect(await readDefaultLimits(world.db)).toEqual([]);
  });

  it.each([
    ['a limit in quotes', '{"limit":"5000"}', /^limit is "5000": must be a number/],
    ['a limit beyond exact integers', '{"limit":1e300}', /^limit is 1e\+300: must be a number/],
    ['no body', undefined, /the body is empty/],
    ['not JSON', 'high', /must be one JSON object/],
  ])('refuse %s', async (_name, sent, words) => {
    const answer = await world.send('POST', '/limit', sent === undefined ? {} : { body: sent });
    expect(answer).toMatchObject({ status: 400, text: expect.stringMatching(words) });
  });
});

describe('POST /check', () => {
  const check = (customerId: string, amount: number, idempotencyKey = '') =>
    world.post('/check', { customerId, charge: amount, idempotencyKey });

  it('counts what it approves, up to the limit exactly, and declines what goes past it', async () => {
    await check('early', 1_000);
    await limit(5_000);
    expect((await check('early', 4_001)).text).toBe('{"declined":true}\n');
    expect((await check('early', 4_000)).text).toBe('{"declined":false}\n');
    expect((await check('early', 1)).json).toEqual({ declined: true });
    expect((await check('other', 5_000)).json).toEqual({ declined: false });
    expect(await spent('early')).toBe(5_000);
  });

  it('decides once under a key', async () => {
    await limit(100);
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 6 }, () => check('again', 60, key)));
    expect(answers.map(({ json }) => json)).toEqual(answers.map(() => ({ declined: false })));
    expect(await spent('again')).toBe(60);
    expect((await check('again', 60)).json).toEqual({ declined: true });
  });

  it("takes a check without a customer, as the reference's own tests send it", async () => {
    expect((await world.post('/check', { customer_id: 'c', charge: 1 })).json).toEqual({ declined: false });
  });

  it.each([
    ['no body', undefined, /the body is empty/],
    ['a charge below nothing', '{"customerId":"c","charge":-1}', /^charge is -1: must be/],
    ['a charge in quotes', '{"customerId":"c","charge":"1"}', /^charge is "1": must be/],
  ])('refuses %s', async (_name, sent, words) => {
    const answer = await world.send('POST', '/check', sent === undefined ? {} : { body: sent });
    expect(answer).toMatchObject({ status: 400, text: expect.stringMatching(words) });
  });
});

describe('Maintenance mode', () => {
  it('is switched on by a request without a body, stops checks and charges, and ends with a reset', async () => {
    for (const sent of [undefined, { on: false }]) {
      const answer = await world.post('/maintenance', sent);
      expect(answer).toMatchObject({ status: 200, text: '' });
      expect(answer.headers['content-length']).toBe('0');
    }
    expect(await settings()).toEqual({ limit: 0, maintenanceMode: true });
    const stopped = await world.send('POST', '/check', { body: 'not JSON' });
    expect(stopped).toMatchObject({ status: 503, text: 'Fraud service is in maintenance mode\n' });
    const key = newKey();
    const held = await world.post('/charge', body(key));
    expect(held).toMatchObject({ status: 503, text: expect.stringContaining('held by maintenance mode') });
    expect((await world.post('/reset')).status).toBe(200);
    expect(await settings()).toEqual({ limit: 0, maintenanceMode: false });
    expect((await charge(key)).success).toBe(true);
  });
});

describe('POST /reset', () => {
  it('begins all tallies anew, whatever is credited later of what was spent before', async () => {
    const id = newKey('order');
    await world.post('/orders', { id, customerId: 'reset', items: VANS });
    await world.work(id);
    const before = await spent('reset');
    expect(before).toBeGreaterThan(0);
    await limit(9_999_999);
    const answer = await world.post('/reset');
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers['content-length']).toBe('0');
    expect(await spent('reset')).toBe(0);
    expect(await settings()).toEqual({ limit: 0, maintenanceMode: false });
    const { total } = await charge(newKey(), 'reset');
    await world.post(`/shipments/${id}:1/status`, { status: 'returnedToSender' });
    await world.activities.refundFulfillments(id);
    expect(await spent('reset')).toBe(total);
  });
});

describe('The books', () => {
  it('add up after all of this', async () => {
    expect(await moneyFaults(world.db)).toEqual([]);
  });
});
