import { Command } from 'commander';
import type { Operator } from '../../database/decisions.ts';
import { cliConfig } from '../../local/settings.ts';
import { EXIT_CODES } from '../../platform/exit-codes.ts';
import { decidedBy, operatorOf } from '../options.ts';
import { examples, printResult } from '../output.ts';
import { placeOf, withRedriver } from './retry.ts';

interface EditFlags extends Operator {
  json?: boolean;
  again?: boolean;
  file: string;
}

/** `oms dlq edit ID` */
export function createCommand(): Command {
  return decidedBy(new Command())
    .argument('<id>', 'id of the dead letter, or how it begins')
    .requiredOption('--file <json>', 'the corrected record as JSON, all of it; - reads stdin')
    .option('--again', 'also if it was decided about already')
    .addHelpText(
      'after',
      '\nThe record is encoded with the schema registered for its topic, checked by the rules every record is checked\n' +
        'by, and put on its topic in the place of the original, which stays in the dead letter. `oms dlq show ID --json`\n' +
        'prints the value to begin with. The key follows from the value.',
    )
    .addHelpText(
      'after',
      examples(
        "oms dlq edit 3f2a9c41d07b --file corrected.json --why 'quantity was negative'",
        "jq .value letter.json | oms dlq edit 3f2a9c41d07b --file - --why 'typo in SKU'",
      ),
    )
    .action(async (id: string, flags: EditFlags) => {
      const { editLetter } = await import('../../operations/dead-letters/decide.ts');
      const { contentOf } = await import('../../operations/produce/read-events.ts');
      const by = { ...operatorOf(flags), again: flags.again };
      const edited = await withRedriver(await cliConfig(), (parts) =>
        editLetter(parts, id, () => contentOf(flags.file), by),
      );
      if (edited.outcome !== 'produced') process.exitCode = EXIT_CODES.failed;
      printResult(flags, edited, () => `${edited.id.slice(0, 12)} ${edited.outcome}: ${placeOf(edited)}`);
    });
}
