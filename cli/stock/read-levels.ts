import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { OmsError, faultError, isOmsError } from '../../domain/errors.ts';
import { validateLevel } from '../../ingest/stock/levels.ts';
import type { StockLevel } from '../../schemas/index.ts';

const REQUIRED = ['sku', 'warehouse', 'onHand', 'version'] as const;

type Row = Partial<Record<string, string>>;

/**
 * Stock levels from a CSV file with a header, each checked as ingest will check it.
 * @throws OmsError OMS_CLI_INPUT_INVALID naming each line that is not acceptable, with field, value and rule
 */
export async function readLevels(file: string, now: number): Promise<StockLevel[]> {
  const rows = await rowsOf(file);
  const faults: string[] = [];
  const levels = rows.flatMap(({ record, info }) => {
    try {
      return [levelOf(record, now)];
    } catch (error) {
      if (!isOmsError(error)) throw error;
      faults.push(`${file}:${info.lines}: ${error.message}`);
      return [];
    }
  });
  if (faults.length > 0) throw new OmsError('OMS_CLI_INPUT_INVALID', faults.join('\n'));
  return levels;
}

async function rowsOf(file: string): Promise<{ record: Row; info: { lines: number } }[]> {
  try {
    const options = { bom: true, info: true, trim: true, skip_empty_lines: true } as const;
    return parse(await readFile(file), { ...options, columns: checkedHeader });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OmsError('OMS_CLI_INPUT_INVALID', `${file}: ${reason}`, { cause: error });
  }
}

function checkedHeader(header: string[]): string[] {
  const missing = REQUIRED.filter((column) => !header.includes(column));
  if (missing.length === 0) return header;
  throw new Error(`line 1: no column ${missing.join(', ')}; needed are ${REQUIRED.join(', ')}`);
}

/** @throws OmsError naming field, value and rule */
function levelOf(row: Row, now: number): StockLevel {
  const level: StockLevel = {
    sku: row.sku ?? '',
    warehouse: row.warehouse ?? '',
    onHand: whole('onHand', row.onHand ?? ''),
    version: whole('version', row.version ?? ''),
    occurredAt: timeOf(row.occurredAt) ?? now,
    unitPrice: row.unitPrice ? whole('unitPrice', row.unitPrice) : null,
    currency: row.currency ? row.currency : null,
  };
  validateLevel(level);
  return level;
}

function whole(field: string, value: string): number {
  if (/^-?\d+$/.test(value)) return Number(value);
  throw faultError('OMS_STOCK_INVALID', { field, value, rule: 'must be a whole number' });
}

function timeOf(value: string | undefined): number | undefined {
  if (!value) return undefined;
  const time = Date.parse(value);
  if (!Number.isNaN(time)) return time;
  throw faultError('OMS_STOCK_INVALID', { field: 'occurredAt', value, rule: 'must be a time: 2026-01-31T12:00:00Z' });
}
