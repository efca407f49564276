import { isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { fault } from './finding.ts';
import type { Finding, Verdict } from './finding.ts';

/** Looks at one kind of thing. What it throws is its verdict. */
export interface Check {
  name: string;
  /** What has to be there for it, by name; without it the check is skipped. */
  needs: Readonly<Record<string, () => Promise<unknown>>>;
  /** The error of an answer that does not come in time. */
  slow: ErrorCode;
  /** Whose answer that is: an address. */
  where?: string;
  look: () => Promise<Verdict[]>;
}

/**
 * Runs all checks at once, each within its own time limit, and resolves with what each found, in the order given. One
 * that hangs or fails takes nothing from the others.
 * @param limitMs of a check, and of what it needs
 */
export async function runChecks(checks: readonly Check[], limitMs: number): Promise<Finding[]> {
  const found = await Promise.all(checks.map(async (check) => ({ check, verdicts: await verdictsOf(check, limitMs) })));
  return found.flatMap(({ check, verdicts }) =>
    verdicts.map(({ level, about = null, detail, code = null, fix = null }) => ({
      ...{ check: check.name, level, about, detail, code, fix },
    })),
  );
}

async function verdictsOf(check: Check, limitMs: number): Promise<Verdict[]> {
  const missing = await missingOf(check, limitMs);
  if (missing.length > 0) return [{ level: 'skipped', detail: `not looked at without ${missing.join(', ')}` }];
  try {
    return await within(limitMs, check.look);
  } catch (error) {
    if (error instanceof TooSlow)
      return [fault(check.slow, `no answer within ${limitMs / 1_000} s${check.where ? ` from ${check.where}` : ''}`)];
    if (isOmsError(error)) return [fault(error.code, error.message)];
    return [fault(check.slow, error instanceof Error ? error.message : String(error))];
  }
}

async function missingOf({ needs }: Check, limitMs: number): Promise<string[]> {
  const reached = await Promise.allSettled(Object.values(needs).map((need) => within(limitMs, need)));
  return Object.keys(needs).filter((_, i) => reached[i]?.status === 'rejected');
}

/** Thrown when a check takes longer than its time. */
class TooSlow extends Error {}

/** @throws TooSlow when the work takes longer; what it was at goes on, and is not waited for */
export async function within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const { promise: tooSlow, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TooSlow()), limitMs);
  try {
    return await Promise.race([work(), tooSlow]);
  } finally {
    clearTimeout(timer);
  }
}
