import type { Database } from '../../database/database.ts';
import type { StoredDeadLetter } from '../../database/dead-letters.ts';
import { OmsError } from '../../domain/errors.ts';

/** @throws OmsError OMS_DLQ_UNKNOWN when none begins like this, OMS_CLI_USAGE when several do */
export async function findLetter(db: Database, id: string): Promise<StoredDeadLetter> {
  const { getDeadLetter } = await import('../../database/dead-letters.ts');
  const rows = await db
    .selectFrom('dead_letters')
    .select('id')
    .where((where) => where.fn('starts_with', ['id', where.val(id)]))
    .limit(2)
    .execute();
  if (rows.length > 1)
    throw new OmsError('OMS_CLI_USAGE', `several dead letters begin with ${id}: give more of the id`);
  const letter = rows[0] && (await getDeadLetter(db, rows[0].id));
  if (!letter) throw new OmsError('OMS_DLQ_UNKNOWN', `no dead letter begins with ${id}: \`oms dlq ls\` lists them`);
  return letter;
}
