import { z } from 'zod';
import { duration } from './types.ts';

/** The order's timers as they are named in configuration, and in the workflow's input. */
const TIMERS = {
  'customer-action': 'customerActionMs',
  'carrier-overdue': 'carrierOverdueMs',
  reservation: 'reservationMs',
  'payment-hold': 'paymentHoldMs',
  'ship-by': 'shipByMs',
  'deliver-by': 'deliverByMs',
} as const;
type TimerName = keyof typeof TIMERS;

/** Timers in ms that differ from the general ones, by the source of the order. */
export type SourceTimers = Record<string, Partial<Record<(typeof TIMERS)[TimerName], number>>>;

const RULE = /^([^/=,]+)\/([a-z-]+)=(.+)$/;

/** Entries like `webshop/ship-by=1 d,marketplace/customer-action=2 h`. Empty = none. */
export const sourceTimers = () =>
  z.string().transform((text, context): SourceTimers => {
    const timers: SourceTimers = {};
    for (const entry of text.split(',').map((part) => part.trim())) {
      const fault = entry === '' ? null : enter(timers, entry);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault });
    }
    return timers;
  });

/** Enters one; answers in words what is wrong with it, null when nothing is. */
function enter(timers: SourceTimers, entry: string): string | null {
  const [, source = '', name = '', value = ''] = RULE.exec(entry) ?? [];
  if (source === '') return `"${entry}" must be a source, a timer and a duration: "webshop/ship-by=1 d"`;
  if (!isTimer(name)) return `"${name}" must be one of ${Object.keys(TIMERS).join(', ')}`;
  const parsed = duration().safeParse(value);
  if (!parsed.success) return `"${entry}" ${parsed.error.issues.map((issue) => issue.message).join('; ')}`;
  timers[source] = { ...timers[source], [TIMERS[name]]: parsed.data };
  return null;
}

function isTimer(name: string): name is TimerName {
  return Object.hasOwn(TIMERS, name);
}
