import { isOmsError } from '../../domain/errors.ts';
import { toIncomingEvent } from '../../orders/intake/convert.ts';
import type { OrderEvent } from '../../schemas/index.ts';

/** An event ingest would refuse, and why. */
export interface Refusal {
  orderId: string;
  code: string;
  field: string;
  value: string;
  rule: string;
}

/** The events that are no acceptable orders, by the rules ingest has. Conflicts with known orders are not looked for. */
export function refusalsAmong(events: readonly OrderEvent[]): Refusal[] {
  return events.flatMap((event) => {
    try {
      toIncomingEvent(event, NO_RECORD);
      return [];
    } catch (error) {
      if (!isOmsError(error)) throw error;
      const { field = '', value = '', rule = error.message } = error.fault ?? {};
      return [{ orderId: event.orderId, code: error.code, field, value, rule }];
    }
  });
}

/** The events have not been on a topic yet. */
const NO_RECORD = { topic: '', partition: 0, offset: 0n, key: null, value: null, timestamp: 0, headers: {} };

/** How often each field is to blame, most first; the number of a line does not count. */
export function refusedFields(refusals: readonly Refusal[]): [field: string, count: number][] {
  const byField = Map.groupBy(refusals, ({ field }) => field.replace(/\[\d+\]/g, '[]'));
  return [...byField].map(([field, some]): [string, number] => [field, some.length]).toSorted((a, b) => b[1] - a[1]);
}
