import { OmsError } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';

type Call = (...args: unknown[]) => Promise<unknown>;

/**
 * A port whose calls are given up after a time: what came of them is unknown then, as after any lost answer, and asking
 * again under the same key is safe.
 */
export function withTimeLimit<T extends object>(port: T, limit: { ms: number; away: ErrorCode }): T {
  const entries = Object.entries(port as Record<string, Call>).map(([name, call]) => [
    name,
    (...args: unknown[]) => inTime(call(...args), name, limit),
  ]);
  return Object.fromEntries(entries) as T;
}

async function inTime<R>(answer: Promise<R>, call: string, { ms, away }: { ms: number; away: ErrorCode }): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new OmsError(away, `no answer to ${call} within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
