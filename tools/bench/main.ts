import { parseArgs } from 'node:util';
import { startStack } from '../../local/stack.ts';
import type { Stack } from '../../local/stack.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { listsOfAMillion } from './api-lists.ts';
import { apiUnderLoad } from './api-load.ts';
import { auditOfMany } from './audit.ts';
import { ordersToDelivered } from './delivery.ts';
import { ingestOfNewOrders, replayOfKnownOrders } from './ingest.ts';
import { outboxToTopic } from './outbox.ts';
import { planOfReplay } from './plan.ts';
import { referenceOrdersPerSecond } from './reference.ts';
import { startUp } from './start-up.ts';
import { table } from './table.ts';
import type { Row } from './table.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { reference: { type: 'string' }, orders: { type: 'string' } },
});

/**
 * `npm run bench -- [NAME …] [--reference FILE] [--orders N]`: what the OMS is measured by, each on a fresh stack, as one
 * table. Limits are rows, never assertions: it exits 0 whatever it measures. FILE is the reference's `oms`, to be measured
 * in the same run; N the orders that are audited.
 */
const BENCHES: Record<string, (stack: Stack) => Promise<Row[]>> = {
  new: (stack) => ingestOfNewOrders(stack.endpoints),
  replay: (stack) => replayOfKnownOrders(stack.endpoints),
  plan: (stack) => planOfReplay(stack.endpoints),
  audit: (stack) => auditOfMany(stack.endpoints, values.orders === undefined ? undefined : Number(values.orders)),
  delivery: (stack) => ordersToDelivered(stack, reference),
  outbox: (stack) => outboxToTopic(stack.endpoints),
  api: (stack) => apiUnderLoad(stack.endpoints),
  'api-lists': (stack) => listsOfAMillion(stack.endpoints),
};

async function onFreshStack<T>(bench: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack({
    ephemeral: true,
    stateDir: '',
    ports: { kafka: 0, registry: 0, temporal: 0, temporalUi: 0, postgres: 0 },
    temporalBinary: loadConfig().OMS_TEMPORAL_BIN,
    onProgress: () => undefined,
  });
  try {
    return await bench(stack);
  } finally {
    await stack.stop();
  }
}

let reference: number | undefined;

async function main(names: readonly string[], referenceBinary: string | undefined): Promise<void> {
  if (referenceBinary !== undefined) {
    process.stderr.write('bench: the reference …\n');
    reference = await onFreshStack((stack) => referenceOrdersPerSecond(stack, referenceBinary));
    process.stderr.write(`bench: the reference delivers ${reference.toFixed(2)} orders/s\n`);
  }
  const wanted = names.length > 0 ? names : [...Object.keys(BENCHES), 'start'];
  const rows: Row[] = [];
  for (const name of wanted) {
    process.stderr.write(`bench: ${name} …\n`);
    const bench = BENCHES[name];
    if (bench) rows.push(...(await onFreshStack(bench)));
    else if (name === 'start') rows.push(...(await startUp()));
    else throw new Error(`no bench ${name}; there are ${[...Object.keys(BENCHES), 'start'].join(', ')}`);
  }
  console.log(table(rows));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await main(positionals, values.reference);
