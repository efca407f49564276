import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { OmsError } from '../../domain/errors.ts';
import type { PartitionLag } from '../../kafka/consumer/lag.ts';
import { CLOCK_TOLERANCE_MS, clockVerdict } from '../../operations/doctor/clocks.ts';
import { fault, ok, runChecks } from '../../operations/doctor/finding.ts';
import type { Check } from '../../operations/doctor/finding.ts';
import { groupVerdicts } from '../../operations/doctor/groups.ts';

const check = (name: string, look: Check['look'], needs: Check['needs'] = {}): Check => ({
  ...{ name, look, needs, slow: 'OMS_KAFKA_UNAVAILABLE', where: 'kafka.example:9092' },
});

describe('a fault', () => {
  it.each([
    'OMS_DATABASE_BEHIND',
    'OMS_DATABASE_FEED_AHEAD',
    'OMS_REBUILD_UNDER_WAY',
    'OMS_DATABASE_UNAVAILABLE',
  ] as const)('%s names the command that mends it', (code) => {
    expect(fault(code, 'it is so').fix).toMatch(/\.\/oms /);
  });
});

describe('checks', () => {
  it('run at once, each within its time; one that hangs or fails takes nothing from the others', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const failed = (): Promise<never> => Promise.reject(new OmsError('OMS_SETUP_DRIFT', 'it differs'));
    const findings = await runChecks(
      [
        check('hangs', never),
        check('fails', failed),
        check('breaks', () => Promise.reject(new Error('broken'))),
        check('good', () => Promise.resolve([ok('fine', 'topic a'), ok('fine')])),
        check('after', () => Promise.resolve([ok('fine')]), {
          good: () => Promise.resolve(),
          kafka: failed,
          db: never,
        }),
      ],
      50,
    );
    expect(findings.map(({ check: name, level, code, detail }) => [name, level, code, detail])).toEqual([
      ['hangs', 'fault', 'OMS_KAFKA_UNAVAILABLE', 'no answer within 0.05 s from kafka.example:9092'],
      ['fails', 'fault', 'OMS_SETUP_DRIFT', 'it differs'],
      ['breaks', 'fault', 'OMS_KAFKA_UNAVAILABLE', 'broken'],
      ['good', 'ok', null, 'fine'],
      ['good', 'ok', null, 'fine'],
      ['after', 'skipped', null, 'not looked at without kafka, db'],
    ]);
    expect(findings.filter(({ level }) => level === 'fault').every(({ fix }) => fix)).toBe(true);
  });
});

describe('a clock', () => {
  const asked = 1_000_000;
  const verdict = (at: number, answered = asked + 40) => clockVerdict('database', { at, asked, answered });

  it('is right within the tolerance, however long the answer took', () => {
    expect(verdict(asked + 20).level).toBe('ok');
    expect(verdict(asked + 5_000, asked + 9_000).level).toBe('ok');
    expect(verdict(asked - CLOCK_TOLERANCE_MS).level).toBe('ok');
  });

  it('that is behind or ahead is told with the difference', () => {
    expect(verdict(asked - 3_600_000)).toMatchObject({
      code: 'OMS_CLOCK_SKEW',
      detail: 'is 3600 s behind this machine',
    });
    expect(verdict(asked + 40 + 5_500)).toMatchObject({ level: 'fault', detail: 'is 5.5 s ahead of this machine' });
  });
});

describe("a group's offsets", () => {
  const lag = (partition: number, committed: bigint | null, start: bigint, end: bigint): PartitionLag => ({
    ...{ topic: 'orders', partition, committed, start, end, lag: 0n },
  });
  const told = (lags: PartitionLag[], isForgotten = false) =>
    groupVerdicts('oms-ingest', 'orders', lags, isForgotten).map(({ level, detail }) => `${level}: ${detail}`);

  it('are fine within the log, and where there is nothing to read', () => {
    expect(told([lag(0, 5n, 0n, 9n), lag(1, 9n, 9n, 9n), lag(2, null, 4n, 4n)])).toEqual([]);
  });

  it('that are gone are a fault only where the database tells that there were some', () => {
    expect(told([lag(0, null, 0n, 9n)])).toEqual([
      expect.stringMatching(/^warning: has committed nothing on orders 0/),
    ]);
    expect(told([lag(0, null, 0n, 9n)], true)).toEqual([expect.stringMatching(/^fault: its offsets have expired/)]);
  });

  it('before the log or beyond it are told apart', () => {
    expect(told([lag(0, 2n, 5n, 9n), lag(1, 12n, 0n, 3n)])).toEqual([
      expect.stringMatching(/^fault: records it had not read were deleted by retention \(orders 0\)/),
      expect.stringMatching(/^fault: it is further than orders 1: the topic was made anew/),
    ]);
  });
});

describe('an old Node', () => {
  it('is named before anything is loaded, with what to do', () => {
    const entry = path.join(import.meta.dirname, '..', '..', 'cli', 'oms.js');
    const old = `Object.defineProperty(process.versions, 'node', { value: '20.11.0' }); process.argv.push('doctor');
      await import(${JSON.stringify(entry)});`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', old], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/needs Node 24 .*this is 20\.11\.0/),
    });
    expect(stderr).toContain('npm install');
  });
});
