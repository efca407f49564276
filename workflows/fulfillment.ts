import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { toBook, toCharge, underway } from '../domain/progress.ts';
import { provider, quick } from './policies.ts';
import { learn, progressOf, waiting } from './story.ts';
import type { Story } from './story.ts';

/**
 * Charges and books everything that is ready for it: at once, where the providers answer at once. For what is left one
 * call serves all fulfillments at the same step, and whoever is paid goes on to the carrier while the others are still
 * waited for. A wish to cancel interrupts it.
 */
export async function fulfil(story: Story): Promise<void> {
  await unlessCancelled(story, async () => {
    await fulfilQuickly(story);
    const booked = new Set<string>();
    const bookings = [bookReady(story, booked)];
    for (let ids = toCharge(progressOf(story)); ids.length > 0; ids = toCharge(progressOf(story))) {
      learn(story, await waiting(story, 'payment', provider.chargeFulfillments(story.orderId, ids)));
      bookings.push(bookReady(story, booked));
    }
    await Promise.all(bookings);
  });
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

/** Runs the work until it is done or somebody wants to cancel. */
async function unlessCancelled(story: Story, work: () => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  const done = scope.run(work);
  await Promise.race([done, condition(() => story.mailbox.hasCancel())]);
  if (!story.mailbox.hasCancel()) return;
  scope.cancel();
  await done.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

/** Waits for the carrier's news. A carrier that is silent for too long is asked. */
export async function awaitCarrier(story: Story): Promise<void> {
  const { mailbox, timers } = story;
  const heard = condition(() => story.settled || mailbox.hasMail(), timers.carrierOverdueMs);
  if (await waiting(story, 'carrier', heard)) return;
  learn(story, await provider.trackShipments(story.orderId, underway(progressOf(story))));
}
