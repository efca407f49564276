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
