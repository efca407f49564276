import { faultError } from './errors.ts';
import type { ErrorCode } from './errors.ts';

/** A rule for one value, in code and in words. */
export interface Rule<T> {
  holds: (value: T) => boolean;
  /** Completes "<field> is <value>: ". */
  rule: string;
}

/** A value that breaks its rule. The path is only built when it does. */
export function check<T>(
  field: () => string,
  value: T,
  { holds, rule }: Rule<T>,
  code: ErrorCode = 'OMS_INGEST_FIELD_INVALID',
): void {
  if (!holds(value)) throw faultError(code, { field: field(), value, rule });
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** An id or a name that systems compare: no control characters, never empty. */
export const identifier = (max: number): Rule<string> => ({
  holds: (value) => value.length >= 1 && value.length <= max && !CONTROL.test(value),
  rule: `must be 1 to ${max} characters, none of them a control character`,
});

/** Text for people. U+0000 is the one character a database cannot hold. */
export const text: Rule<string | null> = {
  holds: (value) => value === null || !value.includes('\u0000'),
  rule: 'must not contain the character U+0000',
};

export const wholeNumber = (min: number, max: number): Rule<number> => ({
  holds: (value) => Number.isSafeInteger(value) && value >= min && value <= max,
  rule: `must be a whole number from ${grouped(min)} to ${grouped(max)}`,
});

export const optional = <T>({ holds, rule }: Rule<T>): Rule<T | null> => ({
  holds: (value) => value === null || holds(value),
  rule: `${rule}, or null`,
});

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

export const currency: Rule<string> = {
  holds: (value) => CURRENCIES.has(value),
  rule: 'must be a currency code of ISO 4217 in capitals, such as GBP',
};

/** 1970 to 9999: what every part of the system and RFC 3339 can write down. */
const LATEST_TIME = Date.UTC(9999, 11, 31);

export const time: Rule<number> = {
  holds: (value) => Number.isSafeInteger(value) && value >= 0 && value <= LATEST_TIME,
  rule: 'must be milliseconds since 1970, no later than the year 9999',
};

/** Digits in groups of three, as people read them: 5,000. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
