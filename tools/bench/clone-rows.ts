import type pg from 'pg';
import { inBulk } from './bulk.ts';
import type { World } from './world.ts';

/** Ids of one length: in Avro the length stands before the text, so one id may be put in the place of another. */
export const idOf = (n: number): string => `clone-${String(n).padStart(9, '0')}`;

/** A template, and which orders are to be copies of it: `from` to `to` (not included). */
export interface Copies {
  template: number;
  from: number;
  to: number;
}

/** Every table that says something of an order, or of its charges and bookings, beside the outbox. */
const TABLES = [
  ...['ledger', 'ledger_events', 'orders', 'order_items', 'fulfillments', 'fulfillment_items', 'shipments', 'payments'],
  ...['invoices', 'spend_decisions', 'steps', 'carrier_updates', 'simulated_charges', 'simulated_bookings'],
];

/** Orders whose rows are written together. */
const AT_ONCE = 20_000;

/**
 * Gives the database orders that are copies of what the OMS wrote of each template. The outbox has as many rows as all other
 * tables, so it is written beside them.
 */
export async function cloneRows(world: World, all: readonly Copies[]): Promise<void> {
  await Promise.all([cloneTables(world, ['outbox'], all), cloneTables(world, TABLES, all)]);
  await countClones(world);
}

async function cloneTables(world: World, tables: readonly string[], all: readonly Copies[]): Promise<void> {
  const client = await world.sql.connect();
  await inBulk(client, tables, async () => {
    for (const table of tables) {
      for (const { template, from, to } of all) {
        const insert = await insertOf(client, table, idOf(template));
        for (let n = from; insert && n < to; n += AT_ONCE)
          await client.query(insert, [n, Math.min(to, n + AT_ONCE) - 1]);
      }
    }
  });
  client.release();
}

interface Column {
  name: string;
  type: string;
}

/** Writes a table's rows of orders $1 to $2; undefined when it has none of the template. */
async function insertOf(client: pg.ClientBase, table: string, id: string): Promise<string | undefined> {
  const { rows: all } = await client.query<Column & { isIdentity: boolean }>(
    `select attname as name, format_type(atttypid, atttypmod) as type, attidentity <> '' as "isIdentity"
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
  const identity = all.find(({ isIdentity }) => isIdentity)?.name;
  const columns = all.filter(({ isIdentity }) => !isIdentity);
  const texts = columns.map(({ name, type }) => (type === 'bytea' ? `encode(${name}, 'hex')` : `${name}::text`));
  const { rows: templates } = await client.query<(string | null)[]>({
    text: `select ${texts.join(', ')} from ${table} t where t::text like '%${id}%' order by ${identity ?? 1}`,
    rowMode: 'array',
  });
  if (templates.length === 0) return undefined;
  const copies = templates.map((row) => columns.map((column, i) => valueOf(table, column, row[i] ?? null, id)));
  const names = columns.map(({ name }) => name).join(', ');
  return `insert into ${table} (${names})
    select copy.* from generate_series($1::int, $2::int) as n
    cross join lateral (select 'clone-' || lpad(n::text, 9, '0') as id) as clone
    cross join lateral (values ${copies.map((row) => `(${row.join(', ')})`).join(', ')}) as copy`;
}

/** What a copy has where its template has this, as SQL: the id's bytes are put between those around it, nothing is searched. */
function valueOf(table: string, { name, type }: Column, template: string | null, id: string): string {
  if (table === 'invoices' && name === 'number') return 'n + 1';
  if (table === 'invoices' && name === 'invoice_id') return `'INV-' || lpad((n + 1)::text, 8, '0')`;
  if (name === 'tx') return 'pg_current_xact_id()';
  if (template === null) return `null::${type}`;
  const isBytes = type === 'bytea';
  const parts = template.split(isBytes ? hex(id) : id).map((part) => (isBytes ? `'\\x${part}'::bytea` : quoted(part)));
  return `(${parts.join(isBytes ? ' || clone.id::bytea || ' : ' || clone.id || ')})::${type}`;
}

const hex = (text: string): string => Buffer.from(text).toString('hex');
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** What is counted over all orders, counted anew. The copies' invoices have the numbers behind those of the templates. */
async function countClones(world: World): Promise<void> {
  for (const statement of [
    `update stock s set reserved = held.pieces from (
      select i.sku, f.warehouse, sum(i.quantity)::bigint as pieces from fulfillments f
      join fulfillment_items i using (fulfillment_id) where f.status in ('pending', 'processing') group by 1, 2
    ) as held where held.sku = s.sku and held.warehouse = s.warehouse`,
    `update invoice_series set next = (select count(*) + 1 from invoices)`,
    `update customer_spend set spent = (select sum(amount) from spend_decisions where approved)`,
    'analyze',
  ])
    await world.sql.query(statement);
}
