import type { OutgoingTopic } from '../../database/outbox/outbox.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { REPLAY_HEADER, headerText } from '../../kafka/headers.ts';
import { markOvertaken } from './order/behind.ts';
import { keepFound } from './order/outbox.ts';
import type { FoundEvent } from './order/outbox.ts';
import { readAll } from './topics.ts';
import type { RebuildContext } from './topics.ts';

const OUTGOING: readonly OutgoingTopic[] = ['order-status', 'shipments', 'invoices', 'deliveries'];

interface Fields {
  eventId: string;
  orderId: string;
  version: number;
  sequence: number;
  cause: string;
  type?: string;
}

/** What was found on our topics beside the events that are in the outbox now. */
export interface OutgoingRead {
  /** Records that are none of our events. */
  unreadable: number;
  /** Records of other deployments. */
  foreign: number;
  /** Ids of events under whose numbers the outbox has others. */
  contradicted: string[];
}

/** Puts every event of ours on our topics into the outbox again, as sent. */
export async function readOutgoing(context: RebuildContext): Promise<OutgoingRead> {
  let [unreadable, foreign] = [0, 0];
  const contradicted = new Set<string>();
  await readAll(context, OUTGOING, async (kind, all) => {
    const records = all.filter(({ headers }) => !context.isForeign(headers));
    foreign += all.length - records.length;
    if (records.length === 0) return;
    const values = records.map(({ value }) => value);
    const decoded = await context.codec.decodeBatch<Fields>(records[0]?.topic ?? '', values);
    const events = records.flatMap((record, i) => {
      const one = decoded[i];
      return one?.kind === 'event' ? [foundEvent(kind as OutgoingTopic, record, one.value)] : [];
    });
    unreadable += records.length - events.length;
    for (const id of await keepFound(context.db, events)) contradicted.add(id);
  });
  await markOvertaken(context.db);
  return { unreadable, foreign, contradicted: [...contradicted] };
}

function foundEvent(
  topic: OutgoingTopic,
  { key, value, headers, timestamp }: ConsumedRecord,
  event: Fields,
): FoundEvent {
  const { eventId, orderId, version, sequence, cause, type = 'OrderStatus' } = event;
  const names = Object.keys(headers).filter((name) => name !== REPLAY_HEADER);
  return {
    ...{ topic, eventId, orderId, version, sequence, type, cause },
    key: key?.toString() ?? orderId,
    value: value ?? Buffer.alloc(0),
    headers: Object.fromEntries(names.map((name) => [name, headerText(headers, name) ?? ''])),
    time: timestamp,
  };
}
