import { intendDeadLetters, markDeadLettersSent } from '../../database/dead-letters.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { storedRecord } from '../../ingest/record.ts';
import type { ConsumedRecord } from '../../kafka/consumer.ts';
import { DLQ_HEADERS, headerText } from '../../kafka/headers.ts';
import type { DlqHeader } from '../../kafka/headers.ts';
import { readAll } from './topics.ts';
import type { RebuildContext } from './topics.ts';

/** Puts the dead letters on their topic into their table again, as sent; what was decided about them is lost. */
export async function readLetters(context: RebuildContext): Promise<number> {
  const ids = new Set<string>();
  await readAll(context, ['orders.dlq'], async (_kind, records) => {
    const letters = records.flatMap((record) => letterFrom(record) ?? []);
    await intendDeadLetters(context.db, letters);
    await markDeadLettersSent(
      context.db,
      letters.map(({ id }) => id),
    );
    for (const { id } of letters) ids.add(id);
  });
  return ids.size;
}

function letterFrom(record: ConsumedRecord): DeadLetter | undefined {
  const header = (name: DlqHeader): string | undefined => headerText(record.headers, DLQ_HEADERS[name]);
  const id = header('id');
  if (id === undefined) return undefined;
  const [field, value, rule] = [header('errorField'), header('errorValue'), header('errorRule')];
  const own = new Set<string>(Object.values(DLQ_HEADERS));
  const headers = Object.fromEntries(Object.entries(record.headers).filter(([name]) => !own.has(name)));
  const original = storedRecord({ ...record, headers });
  return {
    id,
    code: (header('errorCode') ?? 'OMS_INGEST_FIELD_INVALID') as ErrorCode,
    message: header('errorMessage') ?? '',
    fault: field !== undefined && rule !== undefined ? { field, value: value ?? '', rule } : null,
    orderId: header('orderId') ?? null,
    source: header('source') ?? null,
    attempt: Number(header('attempt') ?? 0),
    record: {
      ...original,
      topic: header('originalTopic') ?? record.topic,
      partition: Number(header('originalPartition') ?? record.partition),
      offset: Number(header('originalOffset') ?? record.offset),
      time: Number(header('originalTimestamp') ?? record.timestamp),
    },
  };
}
