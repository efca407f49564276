import { describe, expect, it } from '@jest/globals';
import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import { runLane } from '../../orders/intake/deliver.ts';
import type { OrderWorkflows } from '../../temporal/order-workflows.ts';

const record = { topic: 'orders', partition: 0, offset: 0, time: 0, key: null, value: null, headers: {} };

function event(eventId: string, sequence: number | null = null, reason: string | null = null): LifecycleRecord {
  const message = { v: 1, kind: 'cancel', eventId, reason, fulfillmentId: null } as const;
  return { orderId: 'o-1', eventId, message, contentHash: null, source: 'shop', sequence, record };
}

/** Workflows that only write down what they are told. */
function notebook(answers: { start?: 'started' | 'alreadyStarted'; signal?: 'signalled' | 'notRunning' } = {}) {
  const told: string[] = [];
  const workflows: OrderWorkflows = {
    start: (_orderId, parked) => {
      told.push(`start ${parked.map((message) => message.eventId).join(' ')}`.trim());
      return Promise.resolve(answers.start ?? 'started');
    },
    signal: (_orderId, { eventId }) => {
      told.push(`signal ${eventId}`);
      return Promise.resolve(answers.signal ?? 'signalled');
    },
  };
  return { told, workflows };
}

const lane = (parked: LifecycleRecord[], signals: LifecycleRecord[] = [], start = true) => ({
  orderId: 'o-1',
  source: 'shop',
  start,
  parked,
  signals,
});

describe('a lane', () => {
  it('hands parked events over with the start, then signals', async () => {
    const { told, workflows } = notebook();
    const result = await runLane(workflows, lane([event('p1'), event('p2')], [event('s1')]));
    expect(told).toEqual(['start p1 p2', 'signal s1']);
    expect(result.delivered.map((one) => one.eventId)).toEqual(['p1', 'p2', 's1']);
  });

  it('signals parked events to a run that was there already, since it may not have got them', async () => {
    const { told, workflows } = notebook({ start: 'alreadyStarted' });
    await runLane(workflows, lane([event('p1')], [event('s1')]));
    expect(told).toEqual(['start p1', 'signal p1', 'signal s1']);
  });

  it('keeps the input small: what does not fit follows as signals', async () => {
    const { told, workflows } = notebook();
    const long = 'x'.repeat(300_000);
    await runLane(workflows, lane([event('p1', null, long), event('p2', null, long), event('p3')]));
    expect(told).toEqual(['start p1', 'signal p2', 'signal p3']);
  });

  it('applies events in the producer’s count', async () => {
    const { told, workflows } = notebook();
    await runLane(workflows, lane([event('p3', 3), event('p2', 2)], [event('s6', 6), event('s5', 5)]));
    expect(told).toEqual(['start p2 p3', 'signal s5', 'signal s6']);
  });

  it('reports events that no run took', async () => {
    const { workflows } = notebook({ signal: 'notRunning' });
    const result = await runLane(workflows, lane([], [event('s1')], false));
    expect(result).toMatchObject({ created: false, delivered: [], unreachable: [{ eventId: 's1' }] });
  });
});
