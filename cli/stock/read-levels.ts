import { readFile } from 'node:fs/promises';
import { OmsError } from '../../domain/errors.ts';
import { parseLevels } from '../../orders/intake/levels-csv.ts';
import type { StockLevel } from '../../schemas/index.ts';

/**
 * Stock levels from a CSV file with a header, each checked as ingest will check it.
 * @throws OmsError OMS_CLI_INPUT_INVALID naming each line that is not acceptable, with field, value and rule
 */
export async function readLevels(file: string, now: number): Promise<StockLevel[]> {
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
