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

/** `charge` takes the money at once; `capture-at-handover` holds it until the carrier has the goods. */
export const PAYMENT_MODES = ['charge', 'capture-at-handover'] as const;
export type PaymentMode = (typeof PAYMENT_MODES)[number];

/** Decimal places of the pound, the euro and the dollar. */
const DECIMALS = 2;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * A decimal price as minor units, exactly: digits are moved, nothing is rounded and no floating point is involved.
 * Undefined when the text is no decimal number, has a fraction of a minor unit, or is past 2^53 - 1.
 */
export function minorUnits(text: string): number | undefined {
  const [, sign = '', whole = '', fraction = ''] = DECIMAL.exec(text.trim()) ?? [];
  if (whole === '' || /[1-9]/.test(fraction.slice(DECIMALS))) return undefined;
  const digits = whole + fraction.slice(0, DECIMALS).padEnd(DECIMALS, '0');
  const amount = Number(digits);
  if (!Number.isSafeInteger(amount)) return undefined;
  return sign === '-' && amount !== 0 ? -amount : amount;
}
