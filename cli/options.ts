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
