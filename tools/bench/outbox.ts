import type { Endpoints } from '../../local/stack.ts';
import type { Row } from './table.ts';
import { createWorld, until } from './world.ts';

const EVENTS = 50_000;

/** A full outbox and a publisher that starts: how fast it drains. */
export async function outboxToTopic(endpoints: Endpoints): Promise<Row[]> {
  const world = await createWorld(endpoints);
  await world.sql.query(
    `insert into outbox (event_id, order_id, version, topic, sequence, type, cause, key, value, headers, shard)
     select n || '/bench', 'order-' || n / 10, n % 10 + 1, 'shipments', n % 10 + 1, 'ShipmentBooked', 'bench', 'order-' || n / 10,
            decode(repeat('00', 300), 'hex'), '{"ce_id":"bench"}', (n / 10) % 256
     from generate_series(0, $1 - 1) as n`,
    [EVENTS],
  );
  const role = await world.startRole('publisher');
  await until('the outbox to be empty', async () => {
    const { rows } = await world.sql.query<{ left: boolean }>(
      'select exists (select from outbox where sent_at is null) as left',
    );
    return rows[0]?.left === false;
  });
  const { rows } = await world.sql.query<{ rate: number }>(
    'select count(*) / extract(epoch from max(sent_at) - min(sent_at))::float8 as rate from outbox',
  );
  await role.stop();
  await world.close();
  return [{ what: 'a full outbox drains', measured: rows[0]?.rate ?? 0, unit: 'events/s' }];
}
