import { OmsError } from '../../domain/errors.ts';
import { NO_LIMIT, minorUnits } from '../../domain/money.ts';
import { money } from '../output.ts';

/** What was asked for: an amount in minor units; null = the default holds, or there is none. */
export type AskedLimit = number | null;

/**
 * Reads `500.00`, `none` (nothing is too much) or `default` (no limit of its own).
 * @throws OmsError OMS_CLI_USAGE
 */
export function readLimit(text: string): AskedLimit {
  if (text === 'none') return NO_LIMIT;
  if (text === 'default') return null;
  const limit = minorUnits(text);
  if (limit !== undefined && limit >= 0) return limit;
  throw new OmsError('OMS_CLI_USAGE', `limit is ${text}: must be an amount such as 500.00, or none, or default`);
}

/** A limit for people; null = there is none. */
export function limitText(limit: AskedLimit): string {
  return limit === null || limit === NO_LIMIT ? 'none' : money(limit);
}
