import { z } from 'zod';

/** One kind of fault a simulated provider shows, and for which of its calls. */
export interface FaultRule<K extends string = string> {
  kind: K;
  /** Share of calls, 0 to 1. */
  share: number;
  /** Only keys that begin so; null = all. */
  prefix: string | null;
}

const RULE = /^([A-Za-z]+)=(?:([01]|0?\.\d+|1\.0+)|([A-Za-z0-9._:-]+)\*)$/;

/** Rules like `decline=0.1,timeout=DEMO-*`: a share of the calls, or all calls whose key begins so. Empty = none. */
export const faultRules = <K extends string>(kinds: readonly K[]) =>
  z.string().transform((text, context): FaultRule<K>[] => {
    const entries = text.split(',').map((entry) => entry.trim());
    const rules = entries.filter((entry) => entry !== '').map((entry) => parseRule(entry, kinds));
    for (const rule of rules) {
      if (typeof rule === 'string') context.addIssue({ code: 'custom', message: rule });
    }
    return rules.filter((rule) => typeof rule !== 'string');
  });

/** The rule, or in words what is wrong with it. */
function parseRule<K extends string>(entry: string, kinds: readonly K[]): FaultRule<K> | string {
  const match = RULE.exec(entry);
  if (!match)
    return `"${entry}" must be a kind and a share from 0 to 1, or a kind and the start of a key: "decline=0.1", "decline=DEMO-*"`;
  const kind = kinds.find((known) => known === match[1]);
  if (kind === undefined) return `"${match[1]}" must be one of ${kinds.join(', ')}`;
  return { kind, share: match[2] === undefined ? 1 : Number(match[2]), prefix: match[3] ?? null };
}
