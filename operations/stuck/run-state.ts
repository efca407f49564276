import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { STATUS_QUERY } from '../../domain/contract.ts';
import type { OrderState } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { temporalError } from '../../temporal/order-workflows.ts';

/** An activity that has not ended. */
export interface PendingActivity {
  id: string;
  /** `chargeFulfillments`, … */
  name: string;
  /** From 1. */
  attempt: number;
  lastError: string | null;
  /** When it is tried again; null while an attempt runs. */
  nextAttemptAt: Date | null;
}

/** What Temporal says of an order's run. */
export interface RunState {
  /** Temporal's word: RUNNING, TERMINATED, …; `NOT_FOUND` */
  status: string;
  activities: PendingActivity[];
  /** A step of the workflow itself that no worker has taken, or that fails; null when there is none. */
  task: { attempt: number; lastError: string | null } | null;
  /** What the run itself says it waits for; null when it says nothing or no worker answers. */
  waitingFor: string | null;
}

const GONE: RunState = { status: 'NOT_FOUND', activities: [], task: null, waitingFor: null };
/** A query is answered by a worker, which may be away. */
const QUERY_MS = 2_000;

/** @throws OmsError OMS_TEMPORAL_UNAVAILABLE */
export async function readRun(client: Client, orderId: string, deadlineMs = 10_000): Promise<RunState> {
  const handle = client.workflow.getHandle(orderWorkflowId(orderId));
  try {
    const description = await client.connection.withDeadline(Date.now() + deadlineMs, () => handle.describe());
    const { raw, status } = description;
    if (status.name !== 'RUNNING') return { ...GONE, status: status.name };
    const activities = (raw.pendingActivities ?? []).map(pendingActivity);
    const attempt = raw.pendingWorkflowTask?.attempt;
    const task = attempt ? { attempt, lastError: attempt > 1 ? await taskError(client, orderId) : null } : null;
    // A run that cannot make its next step cannot answer either.
    const waitingFor = task ? null : await askWaitingFor(client, orderId);
    return { status: status.name, activities, task, waitingFor };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return GONE;
    throw temporalError(error);
  }
}

type RawActivity = NonNullable<
  Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>['raw']['pendingActivities']
>[number];

/** An attempt that waits for its turn. */
const SCHEDULED = 1;

function pendingActivity(raw: RawActivity): PendingActivity {
  const { lastFailure: failure, scheduledTime: next } = raw;
  const type = failure?.applicationFailureInfo?.type;
  const error = failure ? [type, failure.message].filter(Boolean).join(': ') : null;
  const isWaiting = Number(raw.state) === SCHEDULED && next;
  return {
    id: raw.activityId ?? '',
    name: raw.activityType?.name ?? '',
    attempt: raw.attempt ?? 1,
    lastError: error,
    nextAttemptAt: isWaiting ? new Date(Number(next.seconds) * 1_000 + (next.nanos ?? 0) / 1e6) : null,
  };
}

/** Why the workflow's task failed last: its history's newest events tell. */
async function taskError(client: Client, orderId: string): Promise<string | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId: orderWorkflowId(orderId) },
    maximumPageSize: 10,
  });
  const failed = history?.events?.find((event) => event.workflowTaskFailedEventAttributes);
  return failed?.workflowTaskFailedEventAttributes?.failure?.message ?? null;
}

async function askWaitingFor(client: Client, orderId: string): Promise<string | null> {
  const handle = client.workflow.getHandle(orderWorkflowId(orderId));
  try {
    const ask = (): Promise<OrderState> => handle.query<OrderState>(STATUS_QUERY);
    return (await client.connection.withDeadline(Date.now() + QUERY_MS, ask)).waitingFor;
  } catch {
    return null;
  }
}
