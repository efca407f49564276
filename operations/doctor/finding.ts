import { isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';

/** `warning`: works, and should be known. `skipped`: could not be looked at, for a reason that is a fault elsewhere. */
export type Level = 'ok' | 'warning' | 'fault' | 'skipped';

/** What looking at one thing came to. */
export interface Verdict {
  level: Level;
  /** What it is about, where a check looks at several things: `topic orders`. */
  about?: string;
  detail: string;
  /** The error the system would report, or one of the same table. */
  code?: ErrorCode;
  /** What mends it: a command, or the setting to change. */
  fix?: string;
}

export interface Finding {
  /** Name of the check. */
  check: string;
  level: Level;
  about: string | null;
  detail: string;
  code: ErrorCode | null;
  fix: string | null;
}

export const ok = (detail: string, about?: string): Verdict => ({ level: 'ok', detail, ...(about ? { about } : {}) });

/** @param fix @default what mends this error in general */
export const fault = (code: ErrorCode, detail: string, more: { about?: string; fix?: string } = {}): Verdict => ({
  level: 'fault',
  code,
  detail,
  fix: FIXES[code] ?? 'see docs/errors.md',
  ...more,
});

export const warning = (code: ErrorCode, detail: string, more: { about?: string; fix?: string } = {}): Verdict => ({
  ...fault(code, detail, more),
  level: 'warning',
});

const SETUP = './oms setup';

/** What mends each error a check may end with. */
const FIXES: Partial<Record<ErrorCode, string>> = {
  OMS_KAFKA_UNAVAILABLE: './oms up (the local one), or start the brokers KAFKA_BROKERS names',
  OMS_KAFKA_TLS_FAILED: 'set KAFKA_SSL and KAFKA_SSL_CA to what the brokers have',
  OMS_KAFKA_LOGIN_FAILED:
    'set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD to what the brokers have',
  OMS_KAFKA_PROTOCOL_APART: 'use brokers of a version between 2.1 and 4.x',
  OMS_KAFKA_NOT_AUTHORIZED: './oms setup --print-acls > acls.sh, for an administrator to run',
  OMS_KAFKA_TOPIC_MISSING: SETUP,
  OMS_KAFKA_OFFSETS_LOST: './oms ingest (it reads again from the first record; what is known is recognised)',
  OMS_REGISTRY_UNAVAILABLE: './oms up (the local one), or start the registry SCHEMA_REGISTRY_URL names',
  OMS_REGISTRY_SCHEMA_MISSING: SETUP,
  OMS_TEMPORAL_UNAVAILABLE: './oms up (the local one), or start the server TEMPORAL_ADDRESS names',
  OMS_TEMPORAL_NAMESPACE_MISSING: SETUP,
  OMS_DATABASE_UNAVAILABLE: './oms up (the local one), or start, or create, the database DATABASE_URL names',
  OMS_DATABASE_MIGRATION_BEHIND: SETUP,
  OMS_DATABASE_BEHIND: "stop all roles, then ./oms rebuild --onto-backup --why 'backup restored'",
  OMS_DATABASE_FEED_AHEAD: SETUP,
  OMS_REBUILD_UNDER_WAY: './oms rebuild (again; it goes on where it stood)',
  OMS_DEPLOYMENT_MISMATCH:
    'point the settings at parts that belong together; ./oms setup marks parts that have no id yet',
  OMS_SETUP_DRIFT: SETUP,
  OMS_CLOCK_SKEW: 'synchronise the clocks of both machines (chronyd, systemd-timesyncd)',
  OMS_LOCAL_PORT_TAKEN: 'end the program on that port, or set the setting to a free one',
  OMS_LOCAL_JAVA_MISSING: 'install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless)',
};

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
async function within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const { promise: tooSlow, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TooSlow()), limitMs);
  try {
    return await Promise.race([work(), tooSlow]);
  } finally {
    clearTimeout(timer);
  }
}
