import { own } from './policies.ts';
import { callOff } from './answers.ts';
import { learn, progressOf } from './story.ts';
import type { Story } from './story.ts';
import { CAUSES } from '../domain/causes.ts';
import { REASONS } from '../domain/reasons.ts';
import type { FulfillmentProgress } from '../domain/progress.ts';
import { isFinalFulfillment } from '../domain/status.ts';

/** A point in time at which something has to be done about the order. */
type Deadline = 'reservation' | 'paymentHold' | 'shipBy' | 'deliverBy';

/** Which timer each goes by, whom it concerns as far as the workflow knows, and what is done. In order of urgency. */
const DEADLINES: Record<
  Deadline,
  {
    timer: 'reservationMs' | 'paymentHoldMs' | 'shipByMs' | 'deliverByMs';
    concerns: (f: FulfillmentProgress) => boolean;
    pass: (story: Story) => Promise<void>;
  }
> = {
  reservation: {
    timer: 'reservationMs',
    concerns: (f) => !isFinalFulfillment(f.status) && f.shipment === null,
    pass: async (story) => void learn(story, await own.expireReservation(story.orderId)),
  },
  paymentHold: {
    timer: 'paymentHoldMs',
    concerns: isHeld,
    pass: releaseHolds,
  },
  shipBy: {
    timer: 'shipByMs',
    concerns: (f) => !isFinalFulfillment(f.status) && f.shipment !== 'dispatched' && f.shipment !== 'deliveryFailed',
    pass: async (story) => void learn(story, await own.tellOverdue(story.orderId, 'shipBy')),
  },
  deliverBy: {
    timer: 'deliverByMs',
    concerns: (f) => !isFinalFulfillment(f.status),
    pass: async (story) => void learn(story, await own.tellOverdue(story.orderId, 'deliverBy')),
  },
};
const NAMES = Object.keys(DEADLINES) as Deadline[];

/** Money that is only held: it must be taken, or let go, before the hold lapses. */
function isHeld(f: FulfillmentProgress): boolean {
  return f.payment === 'authorized' && !isFinalFulfillment(f.status);
}

/** The payment provider is about to let the money go, and nothing was handed over: it is not shipped any more. */
async function releaseHolds(story: Story): Promise<void> {
  for (const { id } of progressOf(story).fulfillments.filter(isHeld)) {
    const reason = REASONS.holdRanOut;
    await callOff(story, { fulfillmentId: id, cause: CAUSES.paymentHoldTimer, reason });
  }
}

/** When it passes, ms by workflow time; undefined when it is not set, has passed or concerns nothing of the order. */
function timeOf(story: Story, name: Deadline): number | undefined {
  const { timer, concerns } = DEADLINES[name];
  const ms = story.timers[timer];
  if (ms === undefined || story.passed.has(name) || !progressOf(story).fulfillments.some(concerns)) return undefined;
  return story.beganAt + ms;
}

/** How long until the next deadline passes, ms, 1 or more; undefined when none is to come. */
export function untilNextDeadline(story: Story): number | undefined {
  const times = NAMES.flatMap((name) => timeOf(story, name) ?? []);
  return times.length === 0 ? undefined : Math.max(1, Math.min(...times) - Date.now());
}

/** Does what is to be done about deadlines that have passed. Each is dealt with once. */
export async function passDeadlines(story: Story): Promise<void> {
  for (const name of NAMES) {
    const at = timeOf(story, name);
    if (at === undefined || at > Date.now()) continue;
    story.passed.add(name);
    await DEADLINES[name].pass(story);
  }
}
