import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import { CAUSES } from '../domain/causes.ts';
import type { AmendMessage, CancelMessage } from '../domain/order-messages.ts';
import { unavailable } from '../domain/progress.ts';
import type { EventName, Letter } from '../domain/read-messages.ts';
import { REASONS, REASON_FORMS } from '../domain/reasons.ts';
import type { CancelRequest } from '../orders/steps/cancel.ts';
import { own, provider } from './policies.ts';
import { learn, progressOf, waiting } from './story.ts';
import type { Story } from './story.ts';

/** Answers everything that is wanted of the order and waits to be read. */
export async function answerMail(story: Story): Promise<void> {
  for (let letter = story.mailbox.take(); letter; letter = story.mailbox.take()) await answer(story, letter);
}

async function answer(story: Story, letter: Letter): Promise<void> {
  const { event, message } = letter;
  if (!message) return refuse(story, event, letter.refusal);
  switch (message.kind) {
    case 'cancel':
      return cancel(story, event, message);
    case 'amend':
      return amend(story, event, message);
    case 'customerAction':
      return refuse(story, event, REASONS.noCustomerActionWanted);
  }
}

/** Nothing comes of it: written down with the reason, for everyone to see. */
async function refuse(story: Story, event: EventName, reason: string): Promise<void> {
  const handled = { ...event, outcome: 'refused' } as const;
  story.handled.push(handled);
  learn(story, await own.noteRefusal(story.orderId, { event: handled, reason }));
}

/**
 * Cancels what can be cancelled. The carrier is asked first: its yes is the point of no return; money follows, and what
 * was given up before a carrier knew of it simply ends. What was handed over goes on, and the wish is refused for it.
 */
async function cancel(
  story: Story,
  event: EventName,
  message: Pick<CancelMessage, 'fulfillmentId' | 'reason' | 'as'>,
): Promise<void> {
  const { fulfillmentId = null, reason, as } = message;
  const known = progressOf(story).fulfillments.some((f) => fulfillmentId === null || f.id === fulfillmentId);
  if (!known) return refuse(story, event, REASON_FORMS.fulfillmentUnknown(fulfillmentId ?? ''));
  const request = { fulfillmentId, cause: event.eventId, reason: reason ?? REASONS.cancelled, ...(as ? { as } : {}) };
  const tooLate = await callOff(story, request);
  if (tooLate.length > 0) await refuse(story, event, REASON_FORMS.cancelTooLate(tooLate.join(', ')));
  else story.handled.push({ ...event, outcome: 'handled' });
}

/** Carries a cancel out as far as it can be; answers which fulfillments were handed over already. */
export async function callOff(story: Story, request: CancelRequest): Promise<string[]> {
  const { orderId } = story;
  const { progress, askCarrier, tooLate } = await own.beginCancel(orderId, request);
  learn(story, progress);
  if (askCarrier.length === 0) return tooLate;
  const asked = await waiting(story, 'carrier', provider.callOffShipments(orderId, askCarrier, request));
  learn(story, asked.progress);
  return [...tooLate, ...asked.tooLate];
}

/** Changes the order as far as no carrier has it in hand: all that is wished, or nothing. */
async function amend(story: Story, event: EventName, { items, shipTo }: AmendMessage): Promise<void> {
  const { progress, refusal } = await own.amendOrder(story.orderId, { cause: event.eventId, items, shipTo });
  learn(story, progress);
  if (refusal !== null) await refuse(story, event, refusal);
  else story.handled.push({ ...event, outcome: 'handled' });
}

/** Lets the customer decide about what is unavailable: go on without it, or give the order up. No answer in time gives it up. */
export async function decideUnavailable(story: Story): Promise<void> {
  const isOpen = (): boolean => unavailable(progressOf(story)).length > 0;
  if (!isOpen()) return;
  const { customerActionMs, reservationMs = Infinity } = story.timers;
  const deadline = startTimer(Math.min(customerActionMs, reservationMs));
  while (isOpen()) {
    await waiting(
      story,
      'customer action',
      condition(() => story.mailbox.hasMail() || deadline.isOver()),
    );
    const letter = story.mailbox.take();
    if (letter) await decideBy(story, letter);
    else await giveUp(story);
  }
  deadline.stop();
}

async function decideBy(story: Story, letter: Letter): Promise<void> {
  const { event, message } = letter;
  if (message?.kind !== 'customerAction') return answer(story, letter);
  if (message.action === 'cancel') {
    return cancel(story, event, { fulfillmentId: null, reason: REASONS.cancelledByCustomer });
  }
  learn(story, await own.dropUnavailable(story.orderId, event.eventId));
  story.handled.push({ ...event, outcome: 'handled' });
}

async function giveUp(story: Story): Promise<void> {
  story.timedOut = true;
  const request = { fulfillmentId: null, cause: CAUSES.customerActionTimer, reason: REASONS.noCustomerAction };
  const { progress } = await own.beginCancel(story.orderId, request);
  learn(story, progress);
}

function startTimer(ms: number): { isOver(): boolean; stop(): void } {
  let over = false;
  const scope = new CancellationScope();
  const running = scope.run(() => sleep(ms)).then(() => void (over = true));
  running.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  return { isOver: () => over, stop: () => scope.cancel() };
}
