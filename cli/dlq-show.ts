import { Command } from 'commander';
import { OmsError } from '../domain/errors.ts';
import type { StoredDeadLetter } from '../database/dead-letters.ts';
import type { Database } from '../database/database.ts';
import { topicNames, topicSchemas } from '../kafka/topics.ts';
import type { Config } from '../platform/config/settings.ts';
import { withDatabase } from './clients.ts';
import { shownLetter } from './dlq-ls.ts';
import { examples, printResult } from './output.ts';
import { cliConfig } from './settings.ts';

/** `oms dlq show ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'id of the dead letter, or how it begins')
    .addHelpText('after', examples('oms dlq show 3f2a9c41d07b', 'oms dlq show 3f2a9c41d07b --json'))
    .action(async (id: string, flags: { json?: boolean }) => {
      const config = await cliConfig();
      const letter = await withDatabase(config, (db) => findLetter(db, id));
      const content = await contentOf(config, letter);
      const { key, value, headers } = letter.record;
      const shown = {
        ...shownLetter(letter),
        key: key?.toString() ?? null,
        headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.map(String)])),
        bytes: value?.length ?? 0,
        ...content,
      };
      printResult(flags, shown, () => textOf(shown));
    });
}

/** @throws OmsError OMS_CLI_USAGE when none or several begin like this */
async function findLetter(db: Database, id: string): Promise<StoredDeadLetter> {
  const { getDeadLetter } = await import('../database/dead-letters.ts');
  const rows = await db
    .selectFrom('dead_letters')
    .select('id')
    .where((where) => where.fn('starts_with', ['id', where.val(id)]))
    .limit(2)
    .execute();
  if (rows.length > 1)
    throw new OmsError('OMS_CLI_USAGE', `several dead letters begin with ${id}: give more of the id`);
  const letter = rows[0] && (await getDeadLetter(db, rows[0].id));
  if (!letter) throw new OmsError('OMS_CLI_USAGE', `no dead letter begins with ${id}: \`oms dlq ls\` lists them`);
  return letter;
}

/** What the record says, as far as it can be read. */
async function contentOf(config: Config, { record }: StoredDeadLetter): Promise<{ value?: unknown; hex?: string }> {
  const { createCodec } = await import('../kafka/codec.ts');
  const { createRegistry } = await import('../kafka/registry.ts');
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const { orders } = topicNames(config.OMS_PREFIX);
  const codec = createCodec({
    registry,
    schemas: topicSchemas(config.OMS_PREFIX).filter(({ topic }) => topic === orders),
  });
  const [decoded] = await codec.decodeBatch(orders, [record.value]).catch(() => []);
  if (decoded?.kind === 'event') return { value: decoded.value };
  return { hex: record.value?.subarray(0, 256).toString('hex') };
}

function textOf(shown: Record<string, unknown>): string {
  return Object.entries(shown)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name.padEnd(10)} ${inText(value)}`)
    .join('\n');
}

const inText = (value: unknown): string =>
  value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : JSON.stringify(value, null, 2);
