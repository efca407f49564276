import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { placed } from '../helpers/order-events.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await createDeployment({ OMS_TOPIC_PARTITIONS: '2' });
});
afterAll(() => deployment?.drop());

interface Printed {
  replayId: string;
  state: string;
  planned: { tallies: object };
  effects: object;
  partitions: object[];
  actions: { action: string; doneBy: string; detail: string | null }[];
  replays: { replayId: string; reason: string }[];
  isRunning: boolean;
  error: { code: string; message: string };
}

async function oms(...words: string[]): Promise<Printed> {
  const { stdout, stderr } = await deployment.oms(['replay', ...words, '--json']);
  return JSON.parse(stdout || (stderr.trim().split('\n').at(-1) ?? '')) as Printed;
}

describe('oms replay', () => {
  it('plans, runs, and tells who did what and why', async () => {
    const events = ['a', 'b', 'c'].map((id) => JSON.stringify(placed(id))).join('\n');
    await deployment.oms(['orders', 'produce', '-'], { input: events });

    const { replayId, planned, state } = await oms('plan', '--why', 'a night was skipped', '--by', 'ann');
    expect({ state, tallies: planned.tallies }).toEqual({ state: 'planned', tallies: { new: 3 } });

    const ran = await oms('run', replayId, '--by', 'bob');
    expect(ran).toMatchObject({ replayId, state: 'finished', effects: { started: 3 } });
    expect(ran.partitions).toHaveLength(2);
    expect(await oms('run', replayId)).toEqual(ran);

    expect(await oms('status', replayId)).toMatchObject({ state: 'finished', isRunning: false, tallies: { new: 3 } });
    expect((await oms('status')).replays).toEqual([
      expect.objectContaining({ replayId, reason: 'a night was skipped', requestedBy: 'ann' }),
    ]);
    const { actions } = await oms('report', replayId);
    expect(actions.map(({ action, doneBy, detail }) => [action, doneBy, detail])).toEqual([
      ['planned', 'ann', 'a night was skipped'],
      ['run', 'bob', null],
      ['finished', 'bob', null],
    ]);
    const { stdout } = await deployment.oms(['replay', 'report', replayId]);
    expect(stdout).toMatch(/new +3 +places an order the ledger does not know/);
    expect(stdout).toMatch(/effects: started 3/);
  });

  it('refuses what cannot be, naming option, value and rule', async () => {
    expect((await oms('run', 'nobody')).error.code).toBe('OMS_REPLAY_UNKNOWN');
    const { replayId } = await oms('plan', '--mode', 're-emit', '--why', 'test');
    expect((await oms('pause', replayId)).error.code).toBe('OMS_REPLAY_STATE');
    expect(await oms('abort', replayId)).toEqual({ replayId, state: 'aborted' });
    expect((await oms('resume', replayId)).error.code).toBe('OMS_REPLAY_STATE');
  });
});
