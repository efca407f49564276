import {
  CancellationScope,
  TemporalFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  workflowInfo,
  defineQuery,
  defineSignal,
  patched,
  setHandler,
} from '@temporalio/workflow';
import { CAUSES } from '../domain/causes.ts';
import {
  CUSTOMER_ACTION_SIGNAL,
  LIFECYCLE_SIGNAL,
  PATCHES,
  SHIPMENT_STATUS_SIGNAL,
  STATUS_QUERY,
} from '../domain/contract.ts';
import type {
  CustomerActionSignal,
  OrderInput,
  OrderResult,
  OrderState,
  ShipmentStatusSignal,
} from '../domain/contract.ts';
import { MESSAGE_KINDS, MESSAGE_VERSION } from '../domain/order-messages.ts';
import type { LifecycleMessage } from '../domain/order-messages.ts';
import { isClosed, toBook, toCapture, toCharge, toRefund, underway } from '../domain/progress.ts';
import { readCustomerAction, readMessage, upgradeInput } from '../domain/read-messages.ts';
import { REASONS } from '../domain/reasons.ts';
import { answerMail, decideUnavailable } from './answers.ts';
import { passDeadlines } from './deadlines.ts';
import { awaitCarrier, fulfil } from './fulfillment.ts';
import { own, provider } from './policies.ts';
import { carriedOver, createStory, learn, progressOf, stateOf, waiting } from './story.ts';
import type { Story } from './story.ts';

/**
 * The story of one order: take it and reserve its stock; let the customer decide about what is unavailable; charge and
 * book each fulfillment; hear from the carrier; close. It can be told to cancel at any point of it, and ends normally
 * whatever the business outcome.
 */
export async function order(given: OrderInput): Promise<OrderResult> {
  const input = upgradeInput(given);
  const story = createStory(input);
  listen(story);
  for (const message of input.parked) receive(story, message);
  return CancellationScope.nonCancellable(() => neverFailing(() => tell(story, input)));
}

async function tell(story: Story, input: OrderInput): Promise<OrderResult> {
  const taken = await own.takeOrder(story.orderId, workflowInfo().firstExecutionRunId);
  if (taken === 'fenced') return { status: 'fenced' };
  learn(story, taken);
  await decideUnavailable(story);
  do {
    await answerMail(story);
    await passDeadlines(story);
    await nextStep(story);
    if (isLong(input)) await goOn(story, input);
  } while (!isClosed(progressOf(story)) || story.mailbox.hasMail());
  await condition(allHandlersFinished);
  return { status: progressOf(story).status };
}

/** History grows with what is heard and waited for; Temporal ends a run whose history is too long. */
function isLong({ historyLimit }: OrderInput): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || (historyLimit !== undefined && historyLength >= historyLimit);
}

/** Goes on in a new history: the order is in the database, and what was taken in goes along. */
async function goOn(story: Story, input: OrderInput): Promise<void> {
  await condition(allHandlersFinished);
  // What was heard and not acted upon yet is not in the database: it is acted upon first.
  if (isClosed(progressOf(story)) || story.settled || story.mailbox.hasMail()) return;
  await continueAsNew<typeof order>({ ...input, parked: [], carried: carriedOver(story) });
}

/** Whatever the order needs next, as the database has it. */
async function nextStep(story: Story): Promise<void> {
  const progress = progressOf(story);
  if (toRefund(progress).length > 0) {
    learn(story, await waiting(story, 'refund', provider.refundFulfillments(story.orderId)));
  } else if (toCapture(progress).length > 0) {
    learn(story, await waiting(story, 'capture', provider.captureFulfillments(story.orderId)));
  } else if (toCharge(progress).length > 0 || toBook(progress).length > 0) await fulfil(story);
  else if (underway(progress).length > 0 && !story.settled) await awaitCarrier(story);
  else await close(story);
}

/** Closes the order if nothing of it is open any more; the database knows. */
async function close(story: Story): Promise<void> {
  story.settled = false;
  const { handled, timedOut } = story;
  const progress = learn(story, await own.closeOrder(story.orderId, { handled, timedOut }));
  const isOpen = [toRefund, toCapture, toCharge, toBook, underway].some((open) => open(progress).length > 0);
  if (!isClosed(progress) && !isOpen) throw new Error('nothing is left to do, yet the order is not closed');
}

/**
 * A business failure is a state, and ends normally. What else goes wrong is a bug: it must stop the workflow's task, which
 * is tried again and goes on with the next release, and never the workflow. Only Temporal's own failures would end that.
 */
async function neverFailing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TemporalFailure)
      throw new Error(`a step failed for good: ${causeOf(error)}`, { cause: error });
    throw error;
  }
}

function causeOf(error: TemporalFailure): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

const lifecycleSignal = defineSignal<[LifecycleMessage]>(LIFECYCLE_SIGNAL);
const customerActionSignal = defineSignal<[CustomerActionSignal]>(CUSTOMER_ACTION_SIGNAL);
const shipmentStatusSignal = defineSignal<[ShipmentStatusSignal]>(SHIPMENT_STATUS_SIGNAL);
const statusQuery = defineQuery<OrderState>(STATUS_QUERY);

/** Opens the order's ears: handlers only take in, the story answers. */
function listen(story: Story): void {
  const { mailbox } = story;
  setHandler(lifecycleSignal, (message) => receive(story, message));
  setHandler(customerActionSignal, (signal) => mailbox.post(readCustomerAction(signal, mailbox.nameless())));
  // The news itself is in the database; the signal only says that it is worth looking.
  setHandler(shipmentStatusSignal, () => void (story.settled = true));
  setHandler(statusQuery, () => stateOf(story));
  turnCancelRequestIntoMessage(story);
}

/** Takes a message in. Runs that began before version 0.2 refuse an amendment that came to them then. */
function receive({ mailbox }: Story, message: LifecycleMessage): void {
  const letter = readMessage(message, mailbox.nameless());
  const isAmendment = letter.message?.kind === 'amend';
  mailbox.post(
    isAmendment && !patched(PATCHES.amend) ? { ...letter, message: null, refusal: REASONS.amendUnsupported } : letter,
  );
}

/** A cancel request from Temporal's own tools is the same wish as a cancel from upstream. */
function turnCancelRequestIntoMessage({ mailbox }: Story): void {
  const reason = REASONS.cancelledInTemporal;
  const message = {
    v: MESSAGE_VERSION,
    kind: MESSAGE_KINDS.cancel,
    eventId: CAUSES.temporalCancel,
    reason,
    fulfillmentId: null,
  } as const;
  CancellationScope.current().cancelRequested.catch(() => mailbox.post(readMessage(message, message.eventId)));
}
