import type { World } from './world.ts';

/** Ids of one length: in Avro the length stands before the text, so one id may be put in the place of another. */
export const idOf = (n: number): string => `clone-${String(n).padStart(9, '0')}`;

/** Every table that says something of an order, or of its charges and bookings, in an order that suits none in particular. */
const TABLES = [
  ...['ledger', 'ledger_events', 'orders', 'order_items', 'fulfillments', 'fulfillment_items', 'shipments', 'payments'],
  ...['invoices', 'spend_decisions', 'steps', 'carrier_updates', 'outbox', 'simulated_charges', 'simulated_bookings'],
];

/** Rows of orders written together. */
const AT_ONCE = 20_000;

/** Gives the database orders `from` to `to` (not included), each a copy of what the OMS wrote of order `template`. */
export async function cloneRows(world: World, template: number, from: number, to: number): Promise<void> {
  const id = idOf(template);
  const client = await world.sql.connect();
  // Foreign keys hold by the way the rows are made.
  await client.query('set session_replication_role = replica; set synchronous_commit = off');
  for (const table of TABLES) {
    const insert = await insertOf(world, table, id);
    for (let n = from; n < to; n += AT_ONCE) await client.query(insert, [n, Math.min(to, n + AT_ONCE) - 1]);
  }
  await client.query('set session_replication_role = default; set synchronous_commit = on');
  client.release();
}

async function insertOf(world: World, table: string, id: string): Promise<string> {
  const { rows } = await world.sql.query<{ name: string; type: string }>(
    `select column_name as name, data_type as type from information_schema.columns
     where table_schema = 'public' and table_name = $1 and is_identity = 'NO' order by ordinal_position`,
    [table],
  );
  const values = rows.map(({ name, type }) => valueOf(table, name, type, id));
  const names = rows.map(({ name }) => name).join(', ');
  return `insert into ${table} (${names})
    with template as materialized (select * from ${table} t where t::text like '%${id}%')
    select ${values.join(', ')} from generate_series($1::int, $2::int) as n
    cross join lateral (select 'clone-' || lpad(n::text, 9, '0') as id) as clone
    cross join template t order by n`;
}

function valueOf(table: string, name: string, type: string, id: string): string {
  const renamed = `replace(t.${name}::text, '${id}', clone.id)`;
  if (table === 'invoices' && name === 'number') return 'n + 1000';
  if (table === 'invoices' && name === 'invoice_id') return `'INV-' || n + 1000`;
  if (type === 'text') return renamed;
  if (type === 'jsonb') return `${renamed}::jsonb`;
  if (type === 'bytea')
    return `decode(replace(encode(t.${name}, 'hex'), '${hex(id)}', encode(clone.id::bytea, 'hex')), 'hex')`;
  if (name === 'tx') return 'pg_current_xact_id()';
  return `t.${name}`;
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

/** What is counted over all orders, counted anew. */
export async function countClones(world: World): Promise<void> {
  for (const statement of [
    `update stock s set reserved = held.pieces from (
      select i.sku, f.warehouse, sum(i.quantity)::bigint as pieces from fulfillments f
      join fulfillment_items i using (fulfillment_id) where f.status in ('pending', 'processing') group by 1, 2
    ) as held where held.sku = s.sku and held.warehouse = s.warehouse`,
    // Out of the way first: the index looks at each row as it changes.
    'update invoices set number = number + 1000000000',
    `update invoices set number = numbered.number from (
      select invoice_id, row_number() over (order by number) as number from invoices
    ) as numbered where numbered.invoice_id = invoices.invoice_id and numbered.number <> invoices.number`,
    `update invoice_series set next = (select count(*) + 1 from invoices)`,
    `update customer_spend set spent = (select sum(amount) from spend_decisions where approved)`,
    'analyze',
  ])
    await world.sql.query(statement);
}
