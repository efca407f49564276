import type { ReplayOptions } from '../../database/replays/replays.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { IncomingEvent, PoisonMessage } from '../../orders/intake/event.ts';

/** What a record is about, as far as that can be read. Poison has the order or the key it came with, and no type. */
export interface RecordSubject {
  orderId: string | null;
  /** Shipment id or SKU. */
  key: string | null;
  type: string | null;
}

/** Which records of a range are meant. */
export interface RecordFilter {
  /** By what is known without decoding. */
  takesRecord(record: Pick<ConsumedRecord, 'timestamp'>): boolean;
  /** By what it says. */
  takes(subject: RecordSubject): boolean;
  /** The same of an order event. */
  takesEvent(
    event: Pick<IncomingEvent, 'kind' | 'orderId' | 'type'> | Pick<PoisonMessage, 'kind' | 'orderId'>,
  ): boolean;
}

export type FilterOptions = Pick<ReplayOptions, 'fromTime' | 'toTime' | 'orderIds' | 'keys' | 'types'>;

export function createFilter({ fromTime, toTime, orderIds, keys, types }: FilterOptions): RecordFilter {
  const isIn = (chosen: readonly string[] | null | undefined): ((value: string | null) => boolean) => {
    const wanted = chosen && new Set(chosen);
    return (value) => !wanted || (value !== null && wanted.has(value));
  };
  const [isOrder, isKey, isType] = [isIn(orderIds), isIn(keys), isIn(types)];
  const takes: RecordFilter['takes'] = ({ orderId, key, type }) => isOrder(orderId) && isKey(key) && isType(type);
  return {
    takesRecord: ({ timestamp }) =>
      (fromTime === null || timestamp >= fromTime) && (toTime === null || timestamp < toTime),
    takes,
    takesEvent: (event) =>
      takes({ orderId: event.orderId, key: null, type: event.kind === 'poison' ? null : event.type }),
  };
}
