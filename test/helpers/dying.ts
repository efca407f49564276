import pg from 'pg';

/**
 * Lets this process end itself with SIGKILL at a statement to the database: OMS_TEST_KILL_AT is `before` or `after`, and how
 * the statement begins. No handler runs, nothing is flushed; whether the database heard of it is as the word says.
 */
export function dieAtStatement(killAt = process.env.OMS_TEST_KILL_AT): void {
  if (!killAt) return;
  const [, when, beginning = ''] = /^(before|after) (.*)$/.exec(killAt) ?? [];
  const die = (): void => void process.kill(process.pid, 'SIGKILL');
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the client it is called on
  const query = pg.Client.prototype.query as (this: pg.Client, ...given: unknown[]) => unknown;
  pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]): unknown {
    const [first] = given;
    const text = typeof first === 'string' ? first : (first as { text: string }).text;
    const isIt = text.trimStart().startsWith(beginning);
    if (isIt && when === 'before') die();
    const answer = query.apply(this, given);
    if (isIt && when === 'after') void (answer as Promise<unknown>).then(die);
    return answer;
  } as never;
}
