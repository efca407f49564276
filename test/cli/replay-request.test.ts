import { describe, expect, it } from '@jest/globals';
import { planRequest } from '../../cli/replay/request.ts';
import type { PlanFlags } from '../../cli/replay/request.ts';

const GIVEN: PlanFlags = { mode: 'start-missing', rate: 0, maxBacklog: 1, maxLag: 1, why: 'test' };
const EMIT: PlanFlags = { ...GIVEN, mode: 're-emit' };

describe('what a replay is asked for', () => {
  it('is written down whole', async () => {
    const flags = { ...GIVEN, order: ['a', 'b', 'a'], type: ['OrderPlaced'], offsets: '0:1-2', by: 'ann', rate: 5 };
    expect(await planRequest(flags)).toEqual({
      ...{ mode: 'start-missing', live: false, requestedBy: 'ann', reason: 'test' },
      spans: [{ partition: 0, from: 1, to: 2 }],
      options: {
        ...{ from: 'orders', fromTime: null, toTime: null, topics: null, to: null, allowStale: false },
        ...{ orderIds: ['a', 'b'], types: ['OrderPlaced'], rate: 5, maxBacklog: 1, maxLag: 1 },
      },
    });
  });

  it('names its operator by user and host where nobody is named', async () => {
    expect((await planRequest(GIVEN)).requestedBy).toMatch(/^[^@]+@.+$/);
  });

  it.each<[string, PlanFlags, string, string]>([
    ['no reason', { ...GIVEN, why: ' ' }, '--why', 'must say why'],
    ['an order id that is none', { ...GIVEN, order: ['a b'] }, '--order', 'must be 1 to 128 characters'],
    ['an unknown type', { ...GIVEN, type: ['Placed'] }, '--type', 'must be one of OrderPlaced'],
    ['an unknown topic', { ...EMIT, topic: ['orders'] }, '--topic', 'must be one of shipments'],
    ['times the wrong way round', { ...GIVEN, fromTime: 2, toTime: 1 }, '--to-time', 'must be later'],
    ['offsets of the outbox', { ...EMIT, offsets: '0' }, '--offsets', 'must not be given'],
    ['a target without events', { ...GIVEN, to: 'x' }, '--to', 'only be given with --mode re-emit'],
    ['live without events', { ...GIVEN, live: true }, '--live', 'only be given with --mode re-emit'],
    ['two targets', { ...EMIT, to: 'x', live: true }, '--live', 'must not be given with --to'],
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
