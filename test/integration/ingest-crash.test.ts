import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pLimit from 'p-limit';
import { INGEST_STEPS } from '../../orders/intake/step.ts';
import type { IngestStep } from '../../orders/intake/step.ts';
import { createCrashScenario } from '../helpers/crash-scenario.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import { spawnIngest } from '../helpers/ingests.ts';
import type { IngestProcess } from '../helpers/ingests.ts';

/** The step at whose end ingest kills itself, the n-th time it gets there. */
type Kill = [step: IngestStep, times: number];

/**
 * Lets ingest kill itself at each of the steps in turn, then lets it go on, and compares the end with what it should
 * be. A step that an earlier ingest got done may not come again: then that ingest reads to the end and is killed there.
 */
async function survive(name: string, kills: readonly Kill[]): Promise<void> {
  const world = await createIngestWorld();
  const processes: IngestProcess[] = [];
  const spawn = (options?: Parameters<typeof spawnIngest>[1]): IngestProcess => {
    const process = spawnIngest(world, options);
    processes.push(process);
    return process;
  };
  try {
    const scenario = createCrashScenario(world, name);
    await scenario.produce();
    for (const [i, [killAt, times]] of kills.entries()) {
      const dying = spawn({ killAt, times });
      if (i === 0) expect(await dying.gone).toBe('SIGKILL');
      else await Promise.race([dying.gone, world.untilRead()]);
      await dying.kill();
    }
    const last = spawn();
    await world.untilRead();
    await scenario.check();
    expect(await last.stop()).toBe('0');
  } catch (error) {
    throw new Error(processes.map((process) => process.log()).join('\n'), { cause: error });
  } finally {
    await Promise.all(processes.map((process) => process.kill()));
    await world.drop();
  }
}

const CASES: [title: string, name: string, kills: Kill[]][] = [
  ...INGEST_STEPS.map((step): [string, string, Kill[]] => [`right after "${step}"`, step, [[step, 1]]]),
  ['in the middle of starting orders', 'middle', [['orderStarted', 4]]],
  [
    'again and again, each time one step further',
    'again',
    [
      ['claimed', 1],
      ['orderStarted', 3],
      ['lanesRun', 1],
      ['confirmed', 1],
      ['finished', 1],
    ],
  ],
];

const LONG_CASES = INGEST_STEPS.flatMap((first) =>
  INGEST_STEPS.map((second): (typeof CASES)[number] => [
    `after "${first}" and after "${second}"`,
    `${first}-${second}`,
    [
      [first, 1],
      [second, 1],
    ],
  ]),
);

/** All of them together, on a busy machine. */
const HANGS_AFTER_MS = process.env.OMS_TEST_LONG ? 3_600_000 : 900_000;

/** Side by side: most of the time the group waits for a dead member. */
const SIDE_BY_SIDE = 4;

describe('ingest killed with SIGKILL', () => {
  const cases = process.env.OMS_TEST_LONG ? [...CASES, ...LONG_CASES] : CASES;
  const outcomes = new Map<string, Promise<unknown>>();

  beforeAll(() => {
    const limiter = pLimit(SIDE_BY_SIDE);
    for (const [, name, kills] of cases) {
      outcomes.set(
        name,
        limiter(() => survive(name, kills)).catch((error: unknown) => error),
      );
    }
  });
  afterAll(() => Promise.all(outcomes.values()));

  it.each(cases)(
    '%s comes to the same end',
    async (_title, name) => {
      expect(await outcomes.get(name)).toBeUndefined();
    },
    HANGS_AFTER_MS,
  );
});
