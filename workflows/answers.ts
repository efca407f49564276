import type { CancelMessage } from '../domain/lifecycle.ts';
import type { EventName, Letter } from '../domain/messages.ts';
import { own, provider } from './policies.ts';
import { learn, progressOf, waiting } from './story.ts';
import type { Story } from './story.ts';

/** Answers everything that is wanted of the order and waits to be read. */
export async function answerMail(story: Story): Promise<void> {
  for (let letter = story.mailbox.take(); letter; letter = story.mailbox.take()) await answer(story, letter);
}

export async function answer(story: Story, letter: Letter): Promise<void> {
  const { event, message } = letter;
  if (!message) return refuse(story, event, letter.refusal);
  switch (message.kind) {
    case 'cancel':
      return cancel(story, event, message);
    case 'amend':
      return refuse(story, event, 'OMS_INGEST_AMEND_UNSUPPORTED: this version does not amend orders');
    case 'customerAction':
      return refuse(story, event, 'OMS_ORDER_MOVE_ILLEGAL: no customer action is asked for now');
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
export async function cancel(
  story: Story,
  event: EventName,
  message: Pick<CancelMessage, 'fulfillmentId' | 'reason'>,
): Promise<void> {
  const { orderId } = story;
  const { fulfillmentId = null, reason } = message;
  const known = progressOf(story).fulfillments.some((f) => fulfillmentId === null || f.id === fulfillmentId);
  if (!known) return refuse(story, event, `OMS_ORDER_UNKNOWN: the order has no fulfillment ${fulfillmentId ?? ''}`);
  const request = { fulfillmentId, cause: event.eventId, reason: reason ?? 'cancelled' };
  const begun = await own.beginCancel(orderId, request);
  learn(story, begun.progress);
  let tooLate = begun.tooLate;
  if (begun.askCarrier.length > 0) {
    const asked = await waiting(story, 'carrier', provider.callOffShipments(orderId, begun.askCarrier, request));
    learn(story, asked.progress);
    tooLate = [...tooLate, ...asked.tooLate];
  }
  if (tooLate.length > 0) await refuse(story, event, `OMS_ORDER_CANCEL_TOO_LATE: handed over: ${tooLate.join(', ')}`);
  else story.handled.push({ ...event, outcome: 'handled' });
}
