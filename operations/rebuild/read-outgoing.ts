import { deadLetterId, intendDeadLetters, markDeadLettersSent } from '../../database/dead-letters.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { StoredRecord } from '../../database/ledger/records.ts';
import type { OutgoingTopic } from '../../database/outbox/outbox.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { DLQ_HEADERS, REPLAY_HEADER, headerText } from '../../kafka/headers.ts';
import type { DlqHeader } from '../../kafka/headers.ts';
import { keepFound, markOvertaken } from './order/outbox.ts';
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

interface ReadLetters {
  deadLetters: number;
  /** Records that are no dead letters. */
  unreadable: number;
  /** Those of other deployments. */
  foreign: number;
}

/** Puts the dead letters on their topic into their table again, as sent; what was decided about them is lost. */
export async function readLetters(context: RebuildContext): Promise<ReadLetters> {
  const ids = new Set<string>();
  let [unreadable, foreign] = [0, 0];
  await readAll(context, ['orders.dlq'], async (_kind, all) => {
    const records = all.filter(({ headers }) => !context.isForeign(headers, DLQ_HEADERS.deployment));
    foreign += all.length - records.length;
    const letters = records.flatMap((record) => letterFrom(record) ?? []);
    await intendDeadLetters(context.db, letters);
    await markDeadLettersSent(
      context.db,
      letters.map(({ id }) => id),
    );
    for (const { id } of letters) ids.add(id);
    unreadable += records.length - letters.length;
  });
  return { deadLetters: ids.size, unreadable, foreign };
}

/** Undefined for a record that is no dead letter: its id does not follow from where and when the original stood. */
function letterFrom(record: ConsumedRecord): DeadLetter | undefined {
  const header = (name: DlqHeader): string | undefined => headerText(record.headers, DLQ_HEADERS[name]);
  const id = header('id');
  const [field, value, rule] = [header('errorField'), header('errorValue'), header('errorRule')];
  const own = new Set<string>(Object.values(DLQ_HEADERS));
  const headers = Object.fromEntries(Object.entries(record.headers).filter(([name]) => !own.has(name)));
  const original: StoredRecord = {
    ...storedRecord({ ...record, headers }),
    topic: header('originalTopic') ?? record.topic,
    partition: Number(header('originalPartition')),
    offset: Number(header('originalOffset')),
    time: Number(header('originalTimestamp')),
  };
  if (id === undefined || id !== deadLetterId(original)) return undefined;
  return {
    id,
    code: (header('errorCode') ?? 'OMS_INGEST_FIELD_INVALID') as ErrorCode,
    message: header('errorMessage') ?? '',
    fault: field !== undefined && rule !== undefined ? { field, value: value ?? '', rule } : null,
    orderId: header('orderId') ?? null,
    source: header('source') ?? null,
    attempt: Number(header('attempt') ?? 0),
    record: original,
  };
}
