import type { ClientBase } from 'pg';

/**
 * Fills tables from an empty start, several times faster than row by row: nothing is waited for, foreign keys hold by the
 * way the rows are made, and indexes but for those of keys are made afterwards, at once.
 */
export async function inBulk(client: ClientBase, tables: readonly string[], fill: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes where schemaname = 'public'
       and indexname not in (select conname from pg_constraint) and tablename = any($1)`,
    [tables],
  );
  await client.query(`set session_replication_role = replica; set synchronous_commit = off; set jit = off;
    set work_mem = '128MB'; set maintenance_work_mem = '256MB'`);
  for (const { name } of rows) await client.query(`drop index ${name}`);
  await fill();
  for (const { definition } of rows) await client.query(definition);
  for (const table of tables) await client.query(`vacuum analyze ${table}`);
  await client.query('reset all');
}
