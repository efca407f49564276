import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Replay } from '../../database/replays/replays.ts';
import type { Endpoints } from '../../local/stack.ts';
import { enterAsKnown, produceOrders } from './orders.ts';
import { peakMemoryMb } from './process-stats.ts';
import type { Row } from './table.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const OMS = join(import.meta.dirname, '..', '..', 'cli', 'oms.js');
const KNOWN = 1_000_000;
const NEW = 100_000;
const AT_ONCE = 50_000;
const MEMORY_EVERY_MS = 200;

/** A plan over many orders the ledger knows, and one over orders it has never heard of. */
export async function planOfReplay(endpoints: Endpoints, known = KNOWN, fresh = NEW, settings = {}): Promise<Row[]> {
  const world = await createWorld(endpoints, settings);
  await forParts('known', known, async (ids) => {
    await enterAsKnown(world, ids);
    await produceOrders(world, ids);
  });
  await world.sql.query('analyze ledger, ledger_events');
  const backfill = await measure(world, []);
  const from = new Date().toISOString();
  await forParts('new', fresh, (ids) => produceOrders(world, ids));
  const unknown = await measure(world, ['--from-time', from]);
  await world.close();
  return [
    {
      what: `plan of a replay, ${known.toLocaleString('en')} known orders`,
      measured: backfill.rate,
      unit: 'records/s',
      against: { what: 'target', value: 20_000, better: 'higher' },
    },
    {
      what: "the plan's peak memory",
      measured: Math.max(backfill.memory, unknown.memory),
      unit: 'MB',
      against: { what: 'target', value: 400, better: 'lower' },
    },
    { what: `plan of a replay, ${fresh.toLocaleString('en')} new orders`, measured: unknown.rate, unit: 'records/s' },
  ];
}

async function forParts(prefix: string, count: number, work: (ids: string[]) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - from);
    await work(Array.from({ length }, (_, i) => `${prefix}-${from + i}`));
  }
}

/** `oms replay plan` as an operator runs it. */
async function measure(world: World, options: readonly string[]): Promise<{ rate: number; memory: number }> {
  const words = ['replay', 'plan', '--why', 'bench', '--json', ...options];
  const env = { ...process.env, ...world.environment };
  const child = spawn(process.execPath, [OMS, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let memory = 0;
  const timer = setInterval(() => {
    if (child.exitCode === null) memory = Math.max(memory, peakMemoryMb(child.pid ?? 0) || 0);
  }, MEMORY_EVERY_MS);
  const { planned } = JSON.parse(await text(child.stdout)) as Replay;
  clearInterval(timer);
  return { rate: planned ? planned.records / planned.seconds : 0, memory };
}
