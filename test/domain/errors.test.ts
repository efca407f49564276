import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ERRORS, OmsError, faultError, isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { SETTINGS } from '../../platform/config/settings.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS =
  'schemas domain platform local kafka database temporal providers resources orders outbox ingest workflows workers operations api cli tools'.split(
    ' ',
  );
const TABLE = join('domain', 'errors.ts');

function sourceFiles(): string[] {
  return FOLDERS.filter((folder) => existsSync(join(ROOT, folder))).flatMap((folder) => {
    const entries = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    return entries.filter((name) => /\.(ts|js)$/.test(name)).map((name) => join(folder, name));
  });
}

/** Codes that stand in the source at the head of string literals, and where. */
function usedCodes(): Map<string, string> {
  const used = new Map<string, string>();
  for (const file of sourceFiles()) {
    if (file === TABLE) continue;
    for (const [, name = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(
      /['`](OMS_[A-Z0-9]+(?:_[A-Z0-9]+)+)\b/g,
    )) {
      if (!(name in SETTINGS)) used.set(name, file);
    }
  }
  return used;
}

const codes = Object.keys(ERRORS) as ErrorCode[];

describe('the error table', () => {
  it('holds every code the source uses', () => {
    const unknown = [...usedCodes()].filter(([code]) => !(code in ERRORS) && !code.startsWith('OMS_TEST_'));
    expect(unknown).toEqual([]);
  });

  it('holds no code that nothing reports', () => {
    const used = usedCodes();
    expect(codes.filter((code) => !used.has(code))).toEqual([]);
  });

  it.each(codes)('%s is named OMS_<AREA>_<FACT>, says what it means, and is in docs/errors.md', (code) => {
    expect(code).toMatch(/^OMS_[A-Z]+(_[A-Z]+)+$/);
    expect(ERRORS[code].meaning).toMatch(/^[A-Z].*\.$/s);
    const docs = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8');
    expect(docs).toContain(`\`${code}\` | ${ERRORS[code].retryable ? 'yes' : 'no'} | ${ERRORS[code].meaning} |`);
  });

  it('is complete in docs/errors.md: the page names no other code', () => {
    const page = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8');
    const named = [...page.matchAll(/^\| .*`(OMS_[A-Z_]+)` \|/gm)].map(([, code]) => code);
    expect(named.sort()).toEqual([...codes].sort());
  });
});

describe('an OmsError', () => {
  it.each(codes)('of %s is as retryable as the table says', (code) => {
    const error = new OmsError(code, 'because');
    expect(error.retryable).toBe(ERRORS[code].retryable);
    expect(isOmsError(error)).toBe(true);
    expect(error.name).toBe('OmsError');
  });

  it('names field, value and rule, and cuts a long value', () => {
    const error = faultError('OMS_INGEST_FIELD_INVALID', {
      field: 'a.b',
      value: 'x'.repeat(200),
      rule: 'must be short',
    });
    expect(error.message).toMatch(/^a\.b is "x{79}…: must be short$/);
    expect(error.fault).toEqual({ field: 'a.b', value: `"${'x'.repeat(79)}…`, rule: 'must be short' });
  });

  it('keeps its cause', () => {
    const cause = new Error('reset');
    expect(new OmsError('OMS_KAFKA_UNAVAILABLE', 'no broker', { cause }).cause).toBe(cause);
  });
});
