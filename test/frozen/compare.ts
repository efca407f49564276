import { readFileSync } from 'node:fs';
import { REMOVED } from './removed.ts';

const RULE =
  'A public name may leave or change only with an issue and a line in CHANGELOG.md: see REMOVED in test/frozen/removed.ts.';

/** What version 0.2.0 had of a kind of names. */
export function namesOf020(kind: string): string[] {
  return JSON.parse(readFileSync(new URL(`0.2.0/${kind}.json`, import.meta.url), 'utf8')) as string[];
}

/**
 * The failure message when names of 0.2.0 are gone or changed: names them all, and those that came, since one of them
 * may be the new name. Empty when all are there; more names are always welcome.
 */
export function lossesSince020(kind: string, current: readonly string[]): string {
  const now = new Set(current);
  const before = namesOf020(kind);
  const allowed = new Set(REMOVED.filter((removed) => removed.kind === kind).map(({ name }) => name));
  const missing = before.filter((name) => !now.has(name) && !allowed.has(name));
  if (missing.length === 0) return '';
  const known = new Set(before);
  const list = (names: readonly string[]): string => names.map((name) => `\n  ${name}`).join('');
  const added = list(current.filter((name) => !known.has(name)));
  return `Missing or changed since 0.2.0 (${kind}):${list(missing)}\nNew since 0.2.0:${added || ' nothing'}\n${RULE}`;
}
