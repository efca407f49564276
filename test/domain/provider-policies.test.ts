import { describe, expect, it } from '@jest/globals';
import {
  AUDIT_CALL,
  FIRST_ATTEMPT,
  LOCAL_STEP,
  OPEN_CHARGE,
  PROVIDER_CALL,
  PROVIDER_STEP,
} from '../../domain/provider-policies.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { SETTINGS } from '../../platform/config/settings.ts';
import { waitBefore } from '../../workers/activities/failures.ts';

/** Voiding a payment, asking how it ended, giving money back: no step makes more calls one after another. */
const CALLS_IN_A_ROW = 3;
const config = loadConfig({});

describe('The timeouts and retries of steps and providers', () => {
  it('let a step that calls a provider miss two heartbeats before it counts as dead, long before its time is over', () => {
    expect(PROVIDER_STEP.heartbeatEveryMs * 3).toBeLessThan(PROVIDER_STEP.heartbeatTimeoutMs);
    expect(PROVIDER_STEP.heartbeatTimeoutMs).toBeLessThan(PROVIDER_STEP.startToCloseMs);
  });

  it('give such a step time for all of its calls, with the default settings', () => {
    const slowest = Math.max(config.OMS_PAYMENT_TIMEOUT, config.OMS_CARRIER_TIMEOUT);
    expect(slowest * CALLS_IN_A_ROW).toBeLessThan(PROVIDER_STEP.startToCloseMs);
  });

  it('see that a provider is slow before the first attempt at it is given up, and try that attempt once', () => {
    expect(FIRST_ATTEMPT.slowAfterMs).toBeLessThan(FIRST_ATTEMPT.startToCloseMs);
    expect(FIRST_ATTEMPT.restMs).toBeGreaterThan(FIRST_ATTEMPT.startToCloseMs);
    expect(FIRST_ATTEMPT.attempts).toBe(1);
  });

  it('have waits that grow, up to a longest one', () => {
    for (const { firstWaitMs, backoff, longestWaitMs } of [LOCAL_STEP, PROVIDER_STEP]) {
      expect(backoff).toBeGreaterThan(1);
      expect(firstWaitMs).toBeLessThan(longestWaitMs);
    }
    expect(LOCAL_STEP.firstWaitMs).toBeLessThan(LOCAL_STEP.serverTimerFromMs);
    expect(LOCAL_STEP.serverTimerFromMs).toBeLessThan(LOCAL_STEP.longestWaitMs);
  });

  it('are the defaults of the settings that override them', () => {
    const { OMS_PAYMENT_TIMEOUT, OMS_CARRIER_TIMEOUT } = config;
    expect([OMS_PAYMENT_TIMEOUT, OMS_CARRIER_TIMEOUT]).toEqual(Array(2).fill(PROVIDER_CALL.timeLimitMs));
    const { OMS_PAYMENT_RETRY_MAX_INTERVAL, OMS_CARRIER_RETRY_MAX_INTERVAL } = config;
    const longest = [OMS_PAYMENT_RETRY_MAX_INTERVAL, OMS_CARRIER_RETRY_MAX_INTERVAL];
    expect(longest).toEqual(Array(2).fill(PROVIDER_STEP.longestWaitMs));
    expect(SETTINGS.OMS_PAYMENT_RETRY_MAX_INTERVAL.about).toContain('double from 0.5 s');
  });

  it('have a worker tell the same waits, with the default settings, as the workflow’s own policy has', () => {
    const { firstWaitMs, backoff, longestWaitMs } = PROVIDER_STEP;
    const waits = [2, 3, 8, 9, 10].map((attempt) => waitBefore(attempt, config.OMS_PAYMENT_RETRY_MAX_INTERVAL));
    expect(waits).toEqual([firstWaitMs, firstWaitMs * backoff, 32_000, longestWaitMs, longestWaitMs]);
  });

  it('settle no open charge while a request about it may still be under way', () => {
    const { lookEveryMs, settledAfterTimeLimits } = OPEN_CHARGE;
    expect(settledAfterTimeLimits * config.OMS_PAYMENT_TIMEOUT).toBeGreaterThan(config.OMS_API_TIMEOUT);
    expect(lookEveryMs).toBeLessThan(settledAfterTimeLimits * config.OMS_PAYMENT_TIMEOUT);
  });

  it('let an audit ask again, and not wait longer for an answer than a step would', () => {
    const { attempts, firstWaitMs } = AUDIT_CALL;
    const waits = Array.from({ length: attempts - 1 }, (_, i) => firstWaitMs * (i + 1));
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(PROVIDER_CALL.timeLimitMs);
  });
});
