import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';

/** Every table and column of a database, with its type. */
export async function tableNames(db: Database): Promise<string[]> {
  const { rows } = await sql<{ table: string; column: string; type: string; nullable: string }>`
    select table_name as table, column_name as column, data_type as type, is_nullable as nullable
    from information_schema.columns where table_schema = 'public' and table_name not like 'kysely_%'
  `.execute(db);
  return rows.map(
    ({ table, column, type, nullable }) => `${table}.${column} ${type}${nullable === 'YES' ? '' : ' not null'}`,
  );
}
