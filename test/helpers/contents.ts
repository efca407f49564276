import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';

/** All that these tables hold, as one text: equal only if nothing was changed. */
export async function contentsOf(db: Database, tables: readonly string[]): Promise<string> {
  const contents = tables.map(async (name) => {
    const { rows } = await sql<{ text: string }>`
      select coalesce(string_agg(t::text, '\n' order by t::text), '') as text from ${sql.table(name)} as t
    `.execute(db);
    return rows[0]?.text;
  });
  return (await Promise.all(contents)).join('\n');
}
