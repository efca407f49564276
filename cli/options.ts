import { hostname, userInfo } from 'node:os';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Operator } from '../database/decisions.ts';

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

/** Adds what every decision of an operator is recorded with. */
export function decidedBy(command: Command): Command {
  return command
    .requiredOption('--why <text>', 'why you decide so; recorded', wordsOption)
    .option('--who <name>', 'who decides; recorded', wordsOption, operatorName());
}

/** Of the account the command runs under. */
export function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `unknown@${hostname()}`; // an account without a name, as in some containers
  }
}

export function operatorOf({ who, why }: Operator): Operator {
  return { who, why };
}
