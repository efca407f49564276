import type { Endpoints } from '../../local/stack.ts';
import { enterAsKnown, produceOrders } from './orders.ts';
import { peakMemoryMb } from './process-stats.ts';
import { bareStartsPerSecond } from './starts.ts';
import type { Row } from './table.ts';
import { createWorld, until } from './world.ts';
import type { Role, World } from './world.ts';

const CONCURRENCY = 100;
const NEW_ORDERS = 1_500;
const KNOWN_ORDERS = 100_000;
const ENCODED_ANEW = 20_000;

const ids = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

/** New orders: ours against a bare loop of starts, which runs before and after it, since the server slows as it fills. */
export async function ingestOfNewOrders(endpoints: Endpoints): Promise<Row[]> {
  const world = await createWorld(endpoints, { OMS_INGEST_MAX_IN_FLIGHT: String(CONCURRENCY) });
  const before = await bareStartsPerSecond(world, ids('before', NEW_ORDERS / 2), CONCURRENCY);
  const rate = await newOrdersPerSecond(world);
  const after = await bareStartsPerSecond(world, ids('after', NEW_ORDERS / 2), CONCURRENCY);
  const rejected = await bareStartsPerSecond(world, ids('after', NEW_ORDERS / 2), CONCURRENCY);
  await world.close();
  const bare = (before + after) / 2;
  return [
    { what: 'a bare loop of workflow starts', measured: bare, unit: 'starts/s' },
    {
      what: 'ingest of new orders',
      measured: rate,
      unit: 'orders/s',
      against: { what: '0.9 x bare starts', value: 0.9 * bare, better: 'higher' },
    },
    { what: 'duplicates Temporal itself rejects', measured: rejected, unit: 'starts/s' },
  ];
}

/** From the first claim to the last confirmed start, by the ledger's own times. */
async function newOrdersPerSecond(world: World): Promise<number> {
  const role = await world.startRole('ingest');
  await produceOrders(world, ids('new', NEW_ORDERS));
  const seconds = await until('the ledger to know all orders', async () => {
    const { rows } = await world.sql.query<{ started: number; seconds: number }>(
      `select count(*)::int as started, extract(epoch from max(started_at) - min(claimed_at))::float8 as seconds
       from ledger where state = 'started'`,
    );
    return rows[0]?.started === NEW_ORDERS && rows[0].seconds;
  });
  await role.stop();
  return NEW_ORDERS / seconds;
}

/** Records ingest has found to be known, from its own metrics. */
async function duplicates(role: Role): Promise<number> {
  const text = await (await fetch(`${role.url}/metrics`)).text();
  const counts = [...text.matchAll(/^oms_ingest_records_total\{[^}]*outcome="duplicate"[^}]*\} (\d+)/gm)];
  return counts.reduce((total, match) => total + Number(match[1]), 0);
}

/** Orders that are all known are read again: first as in a backfill, then as their upstream has encoded them anew. */
export async function replayOfKnownOrders(endpoints: Endpoints): Promise<Row[]> {
  const world = await createWorld(endpoints);
  await enterAsKnown(world, ids('known', KNOWN_ORDERS));
  await produceOrders(world, ids('known', KNOWN_ORDERS));
  const role = await world.startRole('ingest');
  const backfill = await replayed(role, KNOWN_ORDERS);
  await produceOrders(world, ids('known', ENCODED_ANEW), { occurredAt: 1_700_000_000_001 });
  const anew = await replayed(role, KNOWN_ORDERS + ENCODED_ANEW);
  await role.stop();
  await world.close();
  return [
    {
      what: 'replay of known orders',
      measured: backfill.rate,
      unit: 'records/s',
      against: { what: 'target', value: 20_000, better: 'higher' },
    },
    {
      what: `ingest's peak memory, ${KNOWN_ORDERS.toLocaleString('en')} replayed`,
      measured: backfill.memory,
      unit: 'MB',
      against: { what: 'target', value: 300, better: 'lower' },
    },
    { what: 'known orders their upstream has encoded anew', measured: anew.rate, unit: 'records/s' },
    { what: "ingest's peak memory after these", measured: anew.memory, unit: 'MB' },
  ];
}

/** Rate from the first known record seen until so many were seen, and the peak memory up to then. */
async function replayed(role: Role, total: number): Promise<{ rate: number; memory: number }> {
  const before = await duplicates(role);
  const first = await until('the first known record', async () => {
    const count = await duplicates(role);
    return count > before && { count, at: performance.now() };
  });
  const end = await until('all known records', async () => (await duplicates(role)) >= total && performance.now());
  return { rate: (total - first.count) / ((end - first.at) / 1_000), memory: peakMemoryMb(role.pid) };
}
