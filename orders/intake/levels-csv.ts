import { parse } from 'csv-parse/sync';
import { OmsError, faultError, isOmsError } from '../../domain/errors.ts';
import type { StockLevel } from '../../schemas/index.ts';
import { validateLevel } from './levels.ts';

/** What a CSV of stock levels has to have; `occurredAt` (ISO 8601), `unitPrice` and `currency` may stand beside. */
const LEVEL_COLUMNS = ['sku', 'warehouse', 'onHand', 'version'] as const;

type Row = Partial<Record<string, string>>;

/** The levels of a CSV, and what is wrong with it. */
export interface ParsedLevels {
  levels: StockLevel[];
  /** Line and what it breaks, in the order of the file. */
  faults: { line: number; error: OmsError }[];
}

/**
 * Stock levels from CSV with a header line, each checked as ingest checks it. `now` stands in where a line names no time.
 * @throws OmsError OMS_STOCK_INVALID when it is no such CSV at all
 */
export function parseLevels(csv: Buffer | string, now: number): ParsedLevels {
  const parsed: ParsedLevels = { levels: [], faults: [] };
  for (const { record, info } of rowsOf(csv)) {
    try {
      parsed.levels.push(levelOf(record, now));
    } catch (error) {
      if (!isOmsError(error)) throw error;
      parsed.faults.push({ line: info.lines, error });
    }
  }
  return parsed;
}

function rowsOf(csv: Buffer | string): { record: Row; info: { lines: number } }[] {
  try {
    const options = { bom: true, info: true, trim: true, skip_empty_lines: true } as const;
    return parse(csv, { ...options, columns: checkedHeader });
  } catch (error) {
    if (isOmsError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new OmsError('OMS_STOCK_INVALID', reason, { cause: error });
  }
}

function checkedHeader(header: string[]): string[] {
  const missing = LEVEL_COLUMNS.filter((column) => !header.includes(column));
  if (missing.length === 0) return header;
  const rule = `must name the columns ${LEVEL_COLUMNS.join(', ')}; ${missing.join(', ')} not found`;
  throw faultError('OMS_STOCK_INVALID', { field: 'line 1', value: header.join(','), rule });
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
