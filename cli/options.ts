import { InvalidArgumentError } from 'commander';

/** Reads a number of at least `min`. */
export const numberOption =
  (min: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < min) {
      throw new InvalidArgumentError(`must be a number of at least ${min}`);
    }
    return value;
  };

/** Reads a whole number of at least `min`. */
export const countOption =
  (min: number) =>
  (text: string): number => {
    const value = numberOption(min)(text);
    if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('must be a whole number');
    return value;
  };

/** Reads a calendar day. */
export function dateOption(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError('must be a day: 2010-12-01');
}

const AGO = /^(\d+(?:\.\d+)?)\s*(s|m|h|d)$/;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads a time: ISO 8601, or how long ago it was, as in `90m`, `24h`, `7d`. */
export function timeOption(text: string): Date {
  const [, count, unit] = AGO.exec(text.trim()) ?? [];
  if (count && unit) return new Date(Date.now() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]);
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return new Date(time);
  throw new InvalidArgumentError('must be a time, 2026-01-31T12:00:00Z, or how long ago: 90m, 24h, 7d');
}

/** Reads words that are recorded: they have to say something. */
export function wordsOption(text: string): string {
  const words = text.trim();
  if (words !== '') return words;
  throw new InvalidArgumentError('must not be empty');
}

/** Several values of one option. */
export const repeatable = (text: string, before: string[] = []): string[] => [...before, text];
