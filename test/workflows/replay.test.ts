import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, readdir } from 'node:fs/promises';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflows } from '../../workers/worker.ts';
import { historyFromText } from '../helpers/histories.ts';
import type { History } from '../helpers/histories.ts';
import { CAPTURE_STORIES, RECORDED_STORIES } from '../helpers/recorded-stories.ts';

const HISTORIES = new URL('../histories/', import.meta.url);
const versions = await readdir(HISTORIES);
const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const recorded = await Promise.all(
  versions.map(async (version) =>
    (await readdir(new URL(`${version}/`, HISTORIES))).map((file) => [version, file.replace(/\.json$/, '')] as const),
  ),
);

const historyOf = async (version: string, story: string) =>
  historyFromText(await readFile(new URL(`${version}/${story}.json`, HISTORIES), 'utf8'));

async function* histories(): AsyncGenerator<{ workflowId: string; history: History }> {
  for (const [version, story] of recorded.flat()) {
    yield { workflowId: `${version} ${story}`, history: await historyOf(version, story) };
  }
}

let workflowBundle: WorkflowBundleWithSourceMap;
/** By version and story; undefined = it replays. */
const faults = new Map<string, Error | undefined>();
beforeAll(async () => {
  const telemetryOptions = { logging: { filter: 'OFF' } };
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions });
  workflowBundle = await bundleWorkflows();
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories())) {
    faults.set(workflowId, error);
  }
}, 120_000);

describe('This version of the workflow', () => {
  it.each(recorded.flat())('goes on with an order of version %s: %s', (version, story) => {
    expect(faults.has(`${version} ${story}`)).toBe(true);
    expect(faults.get(`${version} ${story}`)).toBeUndefined();
  });

  it('would notice a history that is none of its own', async () => {
    const history = await historyOf('0.1.0', 'two-shipments');
    const marker = history.events.findIndex((event) => event.markerRecordedEventAttributes);
    // As if the first step had been a timer.
    const timer = { eventType: 17, timerStartedEventAttributes: { timerId: '1' }, markerRecordedEventAttributes: null };
    history.events[marker] = { ...history.events[marker], ...timer };
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).rejects.toThrow();
  });

  it('has every way an order can go on record', () => {
    const stories = recorded.flat().flatMap(([version, story]) => (version === manifest.version ? [story] : []));
    expect(stories.sort()).toEqual(Object.keys({ ...RECORDED_STORIES, ...CAPTURE_STORIES }).sort());
  });
});
