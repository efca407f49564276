import type { OmsError } from '../../domain/errors.ts';
import { recordBytes } from './outgoing-record.ts';
import type { Item, OutgoingRecord, PublishOutcome } from './outgoing-record.ts';

/** Makes the items of one `publish` call, and the promise that resolves when each of them is settled. */
export function trackOutcome<R extends OutgoingRecord>(
  records: readonly R[],
  onSettled: (item: Item, error: OmsError | undefined) => void,
): { outcome: Promise<PublishOutcome<R>>; items: Item[] } {
  const { promise: outcome, resolve } = Promise.withResolvers<PublishOutcome<R>>();
  const result: PublishOutcome<R> = { sent: [], held: [] };
  const now = Date.now();
  let open = records.length;
  const items = records.map((record) => {
    let isSettled = false;
    const item: Item = {
      record,
      lane: record.lane ?? record.key?.toString(),
      timestamp: String(record.timestamp ?? now),
      bytes: recordBytes(record),
      queuedAt: now,
      partition: -1,
      settle: (end) => {
        if (isSettled) return;
        isSettled = true;
        if ('error' in end) result.held.push({ record, error: end.error });
        else result.sent.push({ record, ...end });
        onSettled(item, 'error' in end ? end.error : undefined);
        open--;
        if (open === 0) resolve(result);
      },
    };
    return item;
  });
  if (open === 0) resolve(result);
  return { outcome, items };
}
