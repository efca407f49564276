import { OmsError } from './errors.ts';

/**
 * Money is a whole number of minor units (pence, cents) plus an ISO 4217 currency. No floating point, and amounts of
 * different currencies never meet.
 * @throws OmsError OMS_MONEY_OVERFLOW past 2^53 - 1, where integers stop being exact
 */
export function exact(amount: number): number {
  if (Number.isSafeInteger(amount)) return amount;
  throw new OmsError('OMS_MONEY_OVERFLOW', `amount ${amount} is not an exact number of minor units`);
}

export function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => exact(total + amount), 0);
}

/**
 * `amount` × `basisPoints` / 10,000, rounded half up to a minor unit, in exact integer arithmetic.
 * Rounded per line, as the invoice shows it.
 */
export function share(amount: number, basisPoints: number): number {
  const scaled = BigInt(exact(amount)) * BigInt(basisPoints);
  return Number((scaled + 5_000n) / 10_000n);
}

/** A spend limit nobody reaches: amounts of money stay below it. */
export const NO_LIMIT = Number.MAX_SAFE_INTEGER;
