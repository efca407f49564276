import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { placed } from '../helpers/order-events.ts';
import { silent } from '../helpers/order-world.ts';
import { waitFor } from '../helpers/wait.ts';

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
  gone: number;
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

  it('says that records were deleted between plan and run, and that a run was paused', async () => {
    const events = ['e', 'f', 'g', 'h'].map((id) => JSON.stringify(placed(id))).join('\n');
    await deployment.oms(['orders', 'produce', '-'], { input: events });
    const slow = await oms('plan', '--why', 'test', '--rate', '0.2', '--max-lag', '0');
    const running = deployment.oms(['replay', 'run', slow.replayId, '--json']);
    await waitFor('it to run', async () => (await oms('status', slow.replayId)).isRunning);
    await oms('pause', slow.replayId);
    const paused = await running;
    expect(paused).toMatchObject({ code: 1, stdout: expect.stringContaining('"state":"paused"') });

    const { replayId } = await oms('plan', '--why', 'test', '--mode', 'validate');
    const admin = createKafka({ brokers: deployment.config.KAFKA_BROKERS, clientId: 'test', logger: silent }).admin();
    await admin.connect();
    const ends = await logEnds(admin, deployment.topics.orders);
    const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
    await admin.deleteTopicRecords({ topic: deployment.topics.orders, partitions });
    await admin.disconnect();
    expect(await oms('run', replayId)).toMatchObject({ state: 'finished', gone: 7, tallies: {} });
    const { stdout } = await deployment.oms(['replay', 'report', replayId]);
    expect(stdout).toContain('7 of the planned records were deleted from the topic before they were read');
    expect((await deployment.oms(['replay', 'plan', '--why', 'test'])).stdout).toContain('nothing is in this range');
  });

  it('refuses what cannot be, naming option, value and rule', async () => {
    expect((await oms('run', 'nobody')).error.code).toBe('OMS_REPLAY_UNKNOWN');
    const { replayId } = await oms('plan', '--mode', 're-emit', '--why', 'test');
    expect((await oms('pause', replayId)).error.code).toBe('OMS_REPLAY_STATE');
    expect(await oms('abort', replayId)).toEqual({ replayId, state: 'aborted' });
    expect((await oms('resume', replayId)).error.code).toBe('OMS_REPLAY_STATE');
    const before = (await oms('status')).replays.length;
    const nowhere = await oms('plan', '--mode', 're-emit', '--to', 'nowhere', '--why', 'test');
    expect(nowhere.error.code).toBe('OMS_KAFKA_TOPIC_MISSING');
    expect((await oms('status')).replays).toHaveLength(before);
    for (const command of ['plan', 'run'])
      expect(
        (await oms(command, ...(command === 'run' ? [replayId] : ['--why', 'w']), '--by', ' ')).error,
      ).toMatchObject({
        code: 'OMS_CLI_USAGE',
      });
  });
});
