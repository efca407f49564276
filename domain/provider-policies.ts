/*
 * Every timeout and retry of the order's steps and of the calls to the providers, by kind of step. Settings override two
 * of them for each provider: `PROVIDER_CALL.timeLimitMs` (OMS_PAYMENT_TIMEOUT, OMS_CARRIER_TIMEOUT) and
 * `PROVIDER_STEP.longestWaitMs` (OMS_PAYMENT_RETRY_MAX_INTERVAL, OMS_CARRIER_RETRY_MAX_INTERVAL). The workflow's own policy
 * keeps the values below: a worker tells Temporal the next wait with each failure, so no history depends on a setting.
 */

/** Steps of our own database, as local activities: tried again without limit. */
export const LOCAL_STEP = {
  startToCloseMs: 2_000,
  firstWaitMs: 100,
  backoff: 2,
  longestWaitMs: 60_000,
  /** Longer waits are on a server timer, so that a long outage frees the slot. */
  serverTimerFromMs: 2_000,
} as const;

/** The first attempt at the providers, as a local activity: what it leaves is for a provider step. */
export const FIRST_ATTEMPT = {
  startToCloseMs: 3_000,
  attempts: 1,
  /** A provider that has not answered by then is slow. */
  slowAfterMs: 1_000,
  /** One that was slow or unavailable gets no first attempts for this long. */
  restMs: 5_000,
} as const;

/** Steps that call a provider, as normal activities: tried again without limit. */
export const PROVIDER_STEP = {
  startToCloseMs: 60_000,
  /** How often a step tells the server that it is still at work. */
  heartbeatEveryMs: 3_000,
  /** A step not heard of for this long has died with its worker, and is given out again. */
  heartbeatTimeoutMs: 10_000,
  firstWaitMs: 500,
  backoff: 2,
  longestWaitMs: 60_000,
} as const;

/** One call to a provider, whoever makes it. */
export const PROVIDER_CALL = { timeLimitMs: 10_000 } as const;

/**
 * Charges outside of any order: the caller of the API asks again. One that nobody has asked about for some of the payment
 * provider's time limits is settled by the api role, and looked for again if the provider does not answer.
 */
export const OPEN_CHARGE = { lookEveryMs: 15_000, settledAfterTimeLimits: 6 } as const;

/** Questions of an audit: the wait grows by itself with each attempt. */
export const AUDIT_CALL = { attempts: 4, firstWaitMs: 250 } as const;
