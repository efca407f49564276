import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import { CAUSES } from '../domain/causes.ts';
import { REASONS } from '../domain/reasons.ts';
import { unavailable } from '../domain/progress.ts';
import { answer, cancel } from './answers.ts';
import { own } from './policies.ts';
import { learn, progressOf, waiting } from './story.ts';
import type { Letter } from '../domain/messages.ts';
import type { Story } from './story.ts';

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
