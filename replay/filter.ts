import type { ReplayOptions } from '../database/replays.ts';
import type { IncomingEvent, PoisonMessage } from '../ingest/event.ts';
import type { ConsumedRecord } from '../kafka/consumer.ts';

/** Which records of a range are meant. */
export interface RecordFilter {
  /** By what is known without decoding. */
  takesRecord(record: Pick<ConsumedRecord, 'timestamp'>): boolean;
  /** By what it says. Poison has the order of its key, and no type. */
  takesEvent(
    event: Pick<IncomingEvent, 'kind' | 'orderId' | 'type'> | Pick<PoisonMessage, 'kind' | 'orderId'>,
  ): boolean;
}

export function createFilter(options: Pick<ReplayOptions, 'fromTime' | 'toTime' | 'orderIds' | 'types'>): RecordFilter {
  const { fromTime, toTime } = options;
  const orderIds = options.orderIds && new Set(options.orderIds);
  const types = options.types && new Set(options.types);
  return {
    takesRecord: ({ timestamp }) =>
      (fromTime === null || timestamp >= fromTime) && (toTime === null || timestamp < toTime),
    takesEvent: (event) => {
      if (orderIds && (event.orderId === null || !orderIds.has(event.orderId))) return false;
      return !types || (event.kind !== 'poison' && types.has(event.type));
    },
  };
}
