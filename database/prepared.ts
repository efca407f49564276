import { sql } from 'kysely';
import pg from 'pg';

/** Texts remembered at most, so that statements whose text varies with their input cannot fill the server's memory. */
const MAX_PREPARED = 300;

const ANEW = '/* planned anew */';

/**
 * Begins a statement that is planned for its very values each time: one plan for all of them, which is what a prepared
 * statement may end with, would be good for a common customer and bad for a rare one.
 */
export const PLANNED_ANEW = sql.raw(ANEW);

/**
 * A pool's client that prepares statements which come again, once a connection: planning one costs PostgreSQL more than
 * running it. A text is prepared from its second use on.
 */
export function preparingClient(): typeof pg.Client {
  const names = new Map<string, string | null>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known) return known;
    if (known === undefined) {
      if (text.startsWith(ANEW)) return undefined;
      if (names.size < MAX_PREPARED) names.set(text, null);
      return undefined;
    }
    const name = `oms_${++prepared}`;
    names.set(text, name);
    return name;
  };
  let prepared = 0;
  return class extends pg.Client {
    override query(...given: unknown[]): never {
      const [text, values] = given;
      const name = typeof text === 'string' && Array.isArray(values) && given.length === 2 ? nameOf(text) : undefined;
      const args = name ? [{ name, text, values }] : given;
      return super.query(...(args as Parameters<pg.Client['query']>)) as never;
    }
  };
}
