import { describe, expect, it } from '@jest/globals';
import { operatorName } from '../../../cli/options.ts';
import { planRequest } from '../../../operations/replay/request.ts';
import type { PlanWords } from '../../../operations/replay/request.ts';

const GIVEN: PlanWords = { mode: 'start-missing', rate: 0, maxBacklog: 1, maxLag: 1, why: 'test', by: 'tester' };
const EMIT: PlanWords = { ...GIVEN, mode: 're-emit' };

describe('what a replay is asked for', () => {
  it('is written down whole', async () => {
    const flags = { ...GIVEN, order: ['a', 'b', 'a'], type: ['OrderPlaced'], offsets: '0:1-2', by: 'ann', rate: 5 };
    expect(await planRequest(flags)).toEqual({
      ...{ mode: 'start-missing', live: false, requestedBy: 'ann', reason: 'test' },
      spans: [{ partition: 0, from: 1, to: 2 }],
      options: {
        ...{ from: 'orders', fromTime: null, toTime: null, topics: null, to: null, allowStale: false },
        ...{ orderIds: ['a', 'b'], keys: null, types: ['OrderPlaced'], rate: 5, maxBacklog: 1, maxLag: 1 },
      },
    });
  });

  it('goes by shipments, SKUs and statuses where the topic has them', async () => {
    const news = { ...GIVEN, from: 'carrier-updates', shipment: ['a:1', 'a:1'], type: ['dispatched'] };
    expect((await planRequest(news)).options).toMatchObject({
      ...{ from: 'carrier-updates', keys: ['a:1'], types: ['dispatched'], orderIds: null },
    });
    const levels = { ...GIVEN, from: 'stock-levels', sku: ['S 1'] };
    expect((await planRequest(levels)).options).toMatchObject({ from: 'stock-levels', keys: ['S 1'], types: null });
  });

  it('names its operator by user and host where nobody is named', () => {
    expect(operatorName()).toMatch(/^[^@]+@.+$/);
  });

  it.each<[string, PlanWords, string, string]>([
    ['no reason', { ...GIVEN, why: ' ' }, '--why', 'must say why'],
    ['an order id that is none', { ...GIVEN, order: ['a b'] }, '--order', 'must be 1 to 128 characters'],
    ['an unknown type', { ...GIVEN, type: ['Placed'] }, '--type', 'must be one of OrderPlaced'],
    ['an unknown topic', { ...EMIT, topic: ['orders'] }, '--topic', 'must be one of shipments'],
    ['times the wrong way round', { ...GIVEN, fromTime: 2, toTime: 1 }, '--to-time', 'must be later'],
    ['offsets of the outbox', { ...EMIT, offsets: '0' }, '--offsets', 'must not be given'],
    ['a target without events', { ...GIVEN, to: 'x' }, '--to', 'only be given with --mode re-emit'],
    ['live without events', { ...GIVEN, live: true }, '--live', 'only be given with --mode re-emit'],
    ['two targets', { ...EMIT, to: 'x', live: true }, '--live', 'must not be given with --to'],
    ['a topic to tell again from', { ...EMIT, from: 'orders' }, '--from', 'must not be given'],
    ['levels of an order', { ...GIVEN, from: 'stock-levels', order: ['a'] }, '--order', 'must not be given'],
    ['types of levels', { ...GIVEN, from: 'stock-levels', type: ['x'] }, '--type', 'must not be given'],
    ['SKUs of orders', { ...GIVEN, sku: ['x'] }, '--sku', 'must not be given'],
    [
      'a shipment that is none',
      { ...GIVEN, from: 'carrier-updates', shipment: ['a'] },
      '--shipment',
      'must be a shipment',
    ],
    [
      'a status that is none',
      { ...GIVEN, from: 'carrier-updates', type: ['OrderPlaced'] },
      '--type',
      'must be one of b',
    ],
    ['stale news', { ...GIVEN, from: 'carrier-updates', allowStale: true }, '--allow-stale', 'must not be given'],
    ['stale events of ours', { ...EMIT, allowStale: true }, '--allow-stale', 'must not be given'],
  ])('is refused with %s', async (_what, flags, field, rule) => {
    const refusal = { code: 'OMS_REPLAY_INVALID', fault: { field, rule: expect.stringContaining(rule) } };
    await expect(planRequest(flags)).rejects.toMatchObject(refusal);
  });

  it('is refused with a file that is not there', async () => {
    await expect(planRequest({ ...GIVEN, ordersFile: '/nowhere' })).rejects.toMatchObject({
      code: 'OMS_CLI_INPUT_INVALID',
    });
  });
});
