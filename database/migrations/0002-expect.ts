import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/**
 * Lets one statement of several writes hold all of them to a condition: it fails as a whole, with the given SQLSTATE,
 * when a count is not what it must be. So a step needs no transaction of several round trips.
 */
const EXPECT = `
  create function oms_expect(actual bigint, expected bigint, code text, what text) returns bigint
  language plpgsql as $$
  begin
    if actual is distinct from expected then
      raise exception '%: % instead of %', what, actual, expected using errcode = code;
    end if;
    return actual;
  end
  $$`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(EXPECT).execute(db);
}
