const DEFAULT_DIGITS = 2;

/** Minor units as people read them: 123456 of GBP is 1,234.56, of JPY 123,456. Exact, however large. */
export function moneyText(amount: number, currency: string): string {
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
  const decimals = digits ?? DEFAULT_DIGITS;
  const figures = String(Math.abs(amount)).padStart(decimals + 1, '0');
  const whole = BigInt(figures.slice(0, figures.length - decimals)).toLocaleString('en');
  const fraction = decimals === 0 ? '' : `.${figures.slice(-decimals)}`;
  return `${amount < 0 ? '−' : ''}${whole}${fraction}`;
}
