import { startStack } from '../local/stack.ts';
import { loadConfig } from '../platform/config/load.ts';
import { ordersToDelivered } from './delivery.ts';
import { ingestOfNewOrders, replayOfKnownOrders } from './ingest.ts';
import { outboxToTopic } from './outbox.ts';
import { startUp } from './start-up.ts';
import { table } from './table.ts';
import type { Row } from './table.ts';
import type { Stack } from '../local/stack.ts';

/**
 * `npm run bench [NAME …]`: what the OMS is measured by, each on a fresh stack, as one table. Limits are rows, never
 * assertions: it exits 0 whatever it measures.
 */
const BENCHES: Record<string, (stack: Stack) => Promise<Row[]>> = {
  new: (stack) => ingestOfNewOrders(stack.endpoints),
  replay: (stack) => replayOfKnownOrders(stack.endpoints),
  delivery: ordersToDelivered,
  outbox: (stack) => outboxToTopic(stack.endpoints),
};

async function onFreshStack(bench: (stack: Stack) => Promise<Row[]>): Promise<Row[]> {
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

async function main(names: readonly string[]): Promise<void> {
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
await main(process.argv.slice(2));
