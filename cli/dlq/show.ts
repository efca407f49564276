import { Command } from 'commander';
import type { StoredDeadLetter } from '../../database/dead-letters.ts';
import { cliConfig } from '../../local/settings.ts';
import { findLetter } from '../../operations/dead-letters/redrive.ts';
import type { LetterContent } from '../../operations/dead-letters/redrive.ts';
import type { Config } from '../../platform/config/settings.ts';
import { withDatabase } from '../../resources/clients.ts';
import { commandResources } from '../../resources/profiles.ts';
import { examples, printResult, shownDecision } from '../output.ts';
import { shownLetter } from './ls.ts';

/** `oms dlq show ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'id of the dead letter, or how it begins')
    .addHelpText('after', examples('oms dlq show 3f2a9c41d07b', 'oms dlq show 3f2a9c41d07b --json'))
    .action(async (id: string, flags: { json?: boolean }) => {
      const config = await cliConfig();
      const { decisionsAbout } = await import('../../database/decisions.ts');
      const { letter, decisions } = await withDatabase(config, async (db) => {
        const letter = await findLetter(db, id);
        return { letter, decisions: await decisionsAbout(db, 'deadLetter', letter.id) };
      });
      const content = await readContent(config, letter);
      const { key, value, headers } = letter.record;
      const shown = {
        ...shownLetter(letter),
        key: key?.toString() ?? null,
        headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.map(String)])),
        bytes: value?.length ?? 0,
        ...(decisions.length > 0 ? { decisions: decisions.map(shownDecision) } : {}),
        ...content,
      };
      printResult(flags, shown, () => textOf(shown));
    });
}

async function readContent(config: Config, { record }: StoredDeadLetter): Promise<LetterContent> {
  const { contentOf } = await import('../../operations/dead-letters/redrive.ts');
  await using resources = commandResources(config);
  return await contentOf(await resources.codec(), record);
}

function textOf(shown: Record<string, unknown>): string {
  return Object.entries(shown)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name.padEnd(10)} ${inText(value)}`)
    .join('\n');
}

const inText = (value: unknown): string =>
  value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : JSON.stringify(value, null, 2);
