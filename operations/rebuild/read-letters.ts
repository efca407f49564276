import { deadLetterId, intendDeadLetters, markDeadLettersSent } from '../../database/dead-letters.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { StoredRecord } from '../../database/ledger/records.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { DLQ_HEADERS, headerText } from '../../kafka/headers.ts';
import type { DlqHeader } from '../../kafka/headers.ts';
import { readAll } from './topics.ts';
import type { RebuildContext } from './topics.ts';

export interface ReadLetters {
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
