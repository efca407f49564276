import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { LIFECYCLE_SIGNAL, ORDER_WORKFLOW } from '../domain/contract.ts';
import type { OrderInput, OrderTimers } from '../domain/contract.ts';
import { OmsError } from '../domain/errors.ts';
import { orderWorkflowId } from '../domain/ids.ts';
import type { LifecycleMessage } from '../domain/lifecycle.ts';

/** The running orders, as ingest needs them. Any answer but these four is the environment's fault. */
export interface OrderWorkflows {
  /** One run per order id. @throws OmsError OMS_TEMPORAL_UNAVAILABLE (retryable) */
  start(orderId: string, parked: LifecycleMessage[]): Promise<'started' | 'alreadyStarted'>;
  /** @throws OmsError OMS_TEMPORAL_UNAVAILABLE (retryable) */
  signal(orderId: string, message: LifecycleMessage): Promise<'signalled' | 'notRunning'>;
}

export interface OrderWorkflowsOptions {
  client: Client;
  /** With the deployment's prefix. */
  taskQueue: string;
  timers: OrderTimers;
  /** One request with its retries may take this long. @default 10 s */
  deadlineMs?: number;
}

/**
 * Orders on a Temporal server. REJECT_DUPLICATE is the second wall against a second run, behind the ledger; a start whose
 * answer was lost comes back as already started, which is just as good.
 */
export function createOrderWorkflows(options: OrderWorkflowsOptions): OrderWorkflows {
  const { client, taskQueue, timers, deadlineMs = 10_000 } = options;
  const ask = <T>(request: () => Promise<T>): Promise<T> =>
    client.connection.withDeadline(Date.now() + deadlineMs, request);
  const start = (orderId: string, parked: LifecycleMessage[]): Promise<unknown> => {
    const input: OrderInput = { v: 1, orderId, timers, parked };
    const workflowId = orderWorkflowId(orderId);
    return client.workflow.start(ORDER_WORKFLOW, {
      taskQueue,
      workflowId,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
    });
  };
  const signal = (orderId: string, message: LifecycleMessage): Promise<void> =>
    client.workflow.getHandle(orderWorkflowId(orderId)).signal(LIFECYCLE_SIGNAL, message);
  return {
    start: (orderId, parked) =>
      answered(
        ask(() => start(orderId, parked)),
        'started',
        {
          when: WorkflowExecutionAlreadyStartedError,
          is: 'alreadyStarted',
        },
      ),
    signal: (orderId, message) =>
      answered(
        ask(() => signal(orderId, message)),
        'signalled',
        { when: WorkflowNotFoundError, is: 'notRunning' },
      ),
  };
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
