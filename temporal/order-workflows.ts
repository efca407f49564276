import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowIdReusePolicy } from '@temporalio/client';
import { LIFECYCLE_SIGNAL, ORDER_WORKFLOW } from '../domain/contract.ts';
import type { OrderInput, OrderTimers } from '../domain/contract.ts';
import { OmsError } from '../domain/errors.ts';
import { orderWorkflowId } from '../domain/ids.ts';
import type { LifecycleMessage } from '../domain/order-messages.ts';
import type { Config } from '../platform/config/settings.ts';

/** The running orders, as ingest needs them. Any answer but these four is the environment's fault. */
export interface OrderWorkflows {
  /** One run per order id. @throws OmsError OMS_TEMPORAL_UNAVAILABLE (retryable) */
  start(orderId: string, parked: LifecycleMessage[], source: string | null): Promise<'started' | 'alreadyStarted'>;
  /** @throws OmsError OMS_TEMPORAL_UNAVAILABLE (retryable) */
  signal(orderId: string, message: LifecycleMessage): Promise<'signalled' | 'notRunning'>;
}

/** What has become of the last run of an order. */
export interface LastRun {
  /** Of the first execution, as the ledger names a run; null when Temporal knows no run any more. */
  runId: string | null;
  isRunning: boolean;
  /** Temporal's word for it: RUNNING, TERMINATED, …; `NOT_FOUND` */
  status: string;
}

/** For operators: orders whose run is gone. */
export interface RunRecovery {
  /** @throws OmsError OMS_TEMPORAL_UNAVAILABLE (retryable) */
  lastRun(orderId: string): Promise<LastRun>;
  /** Starts a run in the place of one that is gone. @throws OmsError OMS_TEMPORAL_UNAVAILABLE (retryable) */
  restart(orderId: string, parked: LifecycleMessage[], source: string | null): Promise<'started' | 'alreadyStarted'>;
}

export interface OrderWorkflowsOptions {
  client: Client;
  /** With the deployment's prefix. */
  taskQueue: string;
  timersOf: (source: string | null) => OrderTimers;
  /** Of its tasks against those of other orders, from 1 (first) to 5 (last). @default 3, Temporal's own */
  priorityKey?: number;
  /** One request with its retries may take this long. @default 10 s */
  deadlineMs?: number;
}

/**
 * Orders on a Temporal server. REJECT_DUPLICATE is the second wall against a second run, behind the ledger; a start whose
 * answer was lost comes back as already started, which is just as good.
 */
export function createOrderWorkflows(options: OrderWorkflowsOptions): OrderWorkflows & RunRecovery {
  const { client, taskQueue, timersOf, priorityKey, deadlineMs = 10_000 } = options;
  const ask = <T>(request: () => Promise<T>): Promise<T> =>
    client.connection.withDeadline(Date.now() + deadlineMs, request);
  const start = (
    orderId: string,
    parked: LifecycleMessage[],
    source: string | null,
    workflowIdReusePolicy: WorkflowIdReusePolicy = 'REJECT_DUPLICATE',
  ): Promise<unknown> => {
    const input: OrderInput = { v: 1, orderId, timers: timersOf(source), parked };
    const workflowId = orderWorkflowId(orderId);
    return client.workflow.start(ORDER_WORKFLOW, {
      taskQueue,
      workflowId,
      args: [input],
      workflowIdReusePolicy,
      workflowIdConflictPolicy: 'FAIL',
      ...(priorityKey === undefined ? {} : { priority: { priorityKey } }),
    });
  };
  const signal = (orderId: string, message: LifecycleMessage): Promise<void> =>
    client.workflow.getHandle(orderWorkflowId(orderId)).signal(LIFECYCLE_SIGNAL, message);
  return {
    start: (orderId, parked, source) =>
      answered(
        ask(() => start(orderId, parked, source)),
        'started',
        {
          when: WorkflowExecutionAlreadyStartedError,
          is: 'alreadyStarted',
        },
      ),
    lastRun: (orderId) => ask(() => describeRun(client, orderId)),
    restart: (orderId, parked, source) =>
      answered(
        ask(() => start(orderId, parked, source, 'ALLOW_DUPLICATE')),
        'started',
        { when: WorkflowExecutionAlreadyStartedError, is: 'alreadyStarted' },
      ),
    signal: (orderId, message) =>
      answered(
        ask(() => signal(orderId, message)),
        'signalled',
        { when: WorkflowNotFoundError, is: 'notRunning' },
      ),
  };
}

async function describeRun(client: Client, orderId: string): Promise<LastRun> {
  try {
    const { status, raw } = await client.workflow.getHandle(orderWorkflowId(orderId)).describe();
    const runId = raw.workflowExecutionInfo?.firstRunId ?? null;
    return { runId, isRunning: status.name === 'RUNNING', status: status.name };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { runId: null, isRunning: false, status: 'NOT_FOUND' };
    throw temporalError(error);
  }
}

async function answered<A extends string, B extends string>(
  request: Promise<unknown>,
  success: A,
  otherwise: { when: new (...args: never[]) => Error; is: B },
): Promise<A | B> {
  try {
    await request;
    return success;
  } catch (error) {
    if (error instanceof otherwise.when) return otherwise.is;
    throw temporalError(error);
  }
}

/** What Temporal did not answer, as an error of ours that says why. */
export function temporalError(error: unknown): OmsError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OmsError('OMS_TEMPORAL_UNAVAILABLE', `Temporal: ${reason}`, { cause: error });
}

/** The timers of an order by its source, as they are configured now; an order keeps those it was started with. */
export function timersOf(config: Config): (source: string | null) => OrderTimers {
  const general: OrderTimers = {
    customerActionMs: config.OMS_CUSTOMER_ACTION_TIMEOUT,
    carrierOverdueMs: config.OMS_CARRIER_OVERDUE,
    reservationMs: config.OMS_RESERVATION_DEADLINE,
    paymentHoldMs: config.OMS_PAYMENT_HOLD,
    shipByMs: config.OMS_SHIP_BY,
    deliverByMs: config.OMS_DELIVER_BY,
  };
  return (source) => ({ ...general, ...(source === null ? {} : config.OMS_SOURCE_TIMERS[source]) });
}
