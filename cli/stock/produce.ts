import { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { OmsError } from '../../domain/errors.ts';
import { cliConfig } from '../../local/settings.ts';
import { parseLevels } from '../../orders/intake/levels-csv.ts';
import { commandResources } from '../../resources/profiles.ts';
import type { StockLevel } from '../../schemas/index.ts';
import { examples, printResult } from '../output.ts';

interface ProduceFlags {
  json?: boolean;
  dryRun?: boolean;
}

const ABOUT = `
Columns: sku, warehouse, onHand, version; optional occurredAt (ISO 8601, default: now), unitPrice (minor units) with
currency. All lines are checked first; if one is not acceptable, none is produced.`;

/** `oms stock produce FILE` */
export function createCommand(): Command {
  return new Command()
    .argument('<file>', 'CSV with a header, one stock level a line')
    .option('--dry-run', 'check the levels, produce nothing')
    .addHelpText('after', ABOUT)
    .addHelpText('after', examples('oms stock produce levels.csv', 'oms stock produce levels.csv --dry-run'))
    .action(produce);
}

async function produce(file: string, flags: ProduceFlags): Promise<void> {
  const levels = await readLevels(file, Date.now());
  if (flags.dryRun) {
    return printResult(flags, { valid: levels.length, produced: 0 }, () => `${levels.length} levels are acceptable`);
  }
  const { openTopicProducer } = await import('../../operations/produce/topic-producer.ts');
  await using resources = commandResources(await cliConfig());
  const producer = await openTopicProducer<StockLevel>(resources, 'stock-levels', ({ sku }) => sku);
  try {
    const { produced, refused } = await producer.produce(levels);
    const result = { valid: levels.length, produced: produced.length };
    printResult(flags, result, () => `${produced.length} levels produced; \`oms stock show\` tells what came of them.`);
    if (refused[0]) throw refused[0].error;
  } finally {
    await producer.close();
  }
}

/**
 * Stock levels from a CSV file with a header, each checked as ingest will check it.
 * @throws OmsError OMS_CLI_INPUT_INVALID naming each line that is not acceptable, with field, value and rule
 */
async function readLevels(file: string, now: number): Promise<StockLevel[]> {
  const { levels, faults } = await parsed(file, now);
  const lines = faults.map(({ line, error }) => `${file}:${line}: ${error.message}`);
  if (lines.length > 0) throw new OmsError('OMS_CLI_INPUT_INVALID', lines.join('\n'));
  return levels;
}

async function parsed(file: string, now: number) {
  try {
    return parseLevels(await readFile(file), now);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OmsError('OMS_CLI_INPUT_INVALID', `${file}: ${reason}`, { cause: error });
  }
}
