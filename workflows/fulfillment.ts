import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { toBook, toCharge, underway } from '../domain/progress.ts';
import { untilNextDeadline } from './deadlines.ts';
import { provider, quick } from './policies.ts';
import { learn, progressOf, waiting } from './story.ts';
import type { Story } from './story.ts';

/**
 * Charges and books everything that is ready for it: at once, where the providers answer at once. For what is left one
 * call serves all fulfillments at the same step, and whoever is paid goes on to the carrier while the others are still
 * waited for. A wish to cancel or amend interrupts it, and so does a deadline.
 */
export async function fulfil(story: Story): Promise<void> {
  await unlessInterrupted(story, () => fulfilQuickly(story));
  const progress = progressOf(story);
  if (story.mailbox.hasWish() || toCharge(progress).length + toBook(progress).length === 0) return;
  await unlessInterrupted(story, () => fulfilPatiently(story), untilNextDeadline(story));
}

async function fulfilPatiently(story: Story): Promise<void> {
  const booked = new Set<string>();
  const bookings: Promise<void>[] = [];
  const book = (): void => {
    const booking = bookReady(story, booked);
    // Called off together with the charge below, it is not waited for any more: nobody else hears of its end.
    booking.catch(() => undefined);
    bookings.push(booking);
  };
  book();
  for (let ids = toCharge(progressOf(story)); ids.length > 0; ids = toCharge(progressOf(story))) {
    learn(story, await waiting(story, 'payment', provider.chargeFulfillments(story.orderId, ids)));
    book();
  }
  await Promise.all(bookings);
}

/** As far as the providers answer at once; for the rest, and for a bug, there is the patient way. */
async function fulfilQuickly(story: Story): Promise<void> {
  const ids = [...toCharge(progressOf(story)), ...toBook(progressOf(story))];
  try {
    learn(story, await quick.tryFulfil(story.orderId, ids));
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

/** Books what is paid and not being booked already; partial answers are asked for again. */
async function bookReady(story: Story, inHand: Set<string>): Promise<void> {
  let ids = toBook(progressOf(story)).filter((id) => !inHand.has(id));
  for (const id of ids) inHand.add(id);
  while (ids.length > 0) {
    learn(story, await waiting(story, 'booking', provider.bookShipments(story.orderId, ids)));
    const open = new Set(toBook(progressOf(story)));
    ids = ids.filter((id) => open.has(id));
  }
}

/** Runs the work until it is done, somebody wishes to change the order, or a deadline passes. */
async function unlessInterrupted(story: Story, work: () => Promise<void>, deadlineMs?: number): Promise<void> {
  const scope = new CancellationScope();
  const done = scope.run(work);
  const isWished = (): boolean => story.mailbox.hasWish();
  const interrupted = scope.run(async () => {
    await (deadlineMs === undefined ? condition(isWished) : condition(isWished, deadlineMs));
  });
  await Promise.race([done, interrupted]);
  scope.cancel();
  for (const one of await Promise.allSettled([done, interrupted]))
    if (one.status === 'rejected' && !isCancellation(one.reason)) throw one.reason;
}

/** Waits for the carrier's news, until the next deadline. A carrier that is silent for too long is asked. */
export async function awaitCarrier(story: Story): Promise<void> {
  const { mailbox, timers } = story;
  const deadlineMs = untilNextDeadline(story) ?? Infinity;
  const ms = Math.min(timers.carrierOverdueMs, deadlineMs);
  const heard = condition(() => story.settled || mailbox.hasMail(), ms);
  if ((await waiting(story, 'carrier', heard)) || deadlineMs <= timers.carrierOverdueMs) return;
  learn(story, await provider.trackShipments(story.orderId, underway(progressOf(story))));
}
