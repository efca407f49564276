import { z } from 'zod';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration in words, `250 ms`, `30 s`, `5 m`, `24 h`, `30 d`; read as ms. */
export const duration = () =>
  z.string().transform((text, context) => {
    const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim());
    if (match) return Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
    context.addIssue({ code: 'custom', message: 'must be a number and a unit of ms, s, m, h, d: "30 s"' });
    return z.NEVER;
  });

/** A whole number in decimal digits. */
export const wholeNumber = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  z.string().transform((text, context) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    const most = max === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${max}`;
    context.addIssue({ code: 'custom', message: `must be a whole number of at least ${min}${most}` });
    return z.NEVER;
  });

/** `GB=2000,*=1900`: whole numbers by name, comma separated; empty = none. */
export const numbersBy = (name: RegExp, rule: string, max: number = Number.MAX_SAFE_INTEGER) =>
  z.string().transform((text, context): Record<string, number> => {
    const entries = text.split(',').map((entry) => entry.trim());
    const read = entries
      .filter((entry) => entry !== '')
      .map((entry) => {
        const [key = '', value = '', ...rest] = entry.split('=').map((part) => part.trim());
        const number = Number(value);
        const good = rest.length === 0 && name.test(key) && /^\d+$/.test(value) && number <= max;
        if (!good) context.addIssue({ code: 'custom', message: `"${entry}": must be ${rule}` });
        return [key, number] as const;
      });
    const names = read.map(([key]) => key);
    const twice = names.find((key, i) => names.indexOf(key) !== i);
    if (twice !== undefined) context.addIssue({ code: 'custom', message: `${twice} must not be named twice` });
    return Object.fromEntries(read);
  });

export const port = () => wholeNumber(0, 65_535);

export const flag = () =>
  z
    .enum(['true', 'false', '1', '0', 'yes', 'no'], { error: 'must be true or false' })
    .transform((text) => ['true', '1', 'yes'].includes(text));

/** Comma separated, at least one entry. */
export const list = () =>
  z.string().transform((text, context) => {
    const entries = text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
    if (entries.length > 0) return entries;
    context.addIssue({ code: 'custom', message: 'must have at least one entry' });
    return z.NEVER;
  });

const urlWith = (protocols: readonly string[], rule: string) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), { error: rule });

export const httpUrl = () => urlWith(['http:', 'https:'], 'must be an http or https URL');
export const postgresUrl = () => urlWith(['postgres:', 'postgresql:'], 'must be a postgres:// URL');
