import { orUnavailable } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import { matchLetters } from '../../../database/read/dead-letters.ts';
import type { MatchedLetter } from '../../../database/read/dead-letters.ts';
import { readNotes, writeNotes } from '../../../database/replays/replay-notes.ts';
import { OmsError } from '../../../domain/errors.ts';
import { publishedBy } from '../../../kafka/admin/deployment-mark.ts';
import type { IsForeign } from '../../../kafka/admin/deployment-mark.ts';
import type { ConsumedRecord } from '../../../kafka/consumer/consumer.ts';
import { DLQ_HEADERS, headerText } from '../../../kafka/headers.ts';
import type { LETTER_CLASSES } from '../classes.ts';
import { filtered } from '../classified.ts';
import type { Classified, Classifier, Judgement, ToldOptions } from '../classified.ts';

interface Letter {
  record: ConsumedRecord;
  id: string;
  code: string | null;
  orderId: string | null;
  match: MatchedLetter | undefined;
  isForeign: boolean;
}

/** Of dead letters: their table has each, with the reason, and the key and bytes of the record that was refused. */
export function createLetterClassifier({ db, filter, notesOf, isForeign }: ToldOptions): Classifier {
  return {
    prepare: async (records) => {
      const taken = records.filter((record) => filter.takesRecord(record));
      const letters = (await orUnavailable(matched(db, taken, isForeign))).filter(({ orderId, code: type }) =>
        filter.takes({ orderId, key: null, type }),
      );
      return async () => {
        const before = await orUnavailable(seenBefore(db, notesOf, letters));
        const found = new Map(letters.map((letter) => [letter.record, classified(letter, before)]));
        const notes = letters.flatMap(({ id, match }) => (match ? [{ subject: id, name: SEEN, value: true }] : []));
        return {
          records: records.map((record) => found.get(record) ?? filtered(record)),
          keep: (tx) => writeNotes(tx, notesOf, notes),
        } satisfies Judgement;
      };
    },
  };
}

/** What is foreign is compared with nothing of ours, whatever its id. */
async function matched(db: Database, records: readonly ConsumedRecord[], isForeign: IsForeign): Promise<Letter[]> {
  const read = records.map((record) => ({
    record,
    id: headerText(record.headers, DLQ_HEADERS.id) ?? '',
    code: headerText(record.headers, DLQ_HEADERS.errorCode) ?? null,
    isForeign: isForeign(record.headers, DLQ_HEADERS.deployment),
  }));
  const given = read.map(({ record: { key, value }, id, code }) => ({ id, code: code ?? '', key, value }));
  const matches = await matchLetters(db, given);
  return read.map((one, i) => {
    const named = headerText(one.record.headers, DLQ_HEADERS.orderId) ?? null;
    const match = one.isForeign ? undefined : matches[i];
    return { ...one, match, orderId: match?.orderId ?? named };
  });
}

const SEEN = 'seen';

async function seenBefore(db: Database, notesOf: string | undefined, letters: readonly Letter[]): Promise<Set<string>> {
  const notes = await readNotes<true>(
    db,
    notesOf,
    letters.flatMap(({ id, match }) => (match ? [id] : [])),
  );
  return new Set(notes.map(({ subject }) => subject));
}

/** `before`: ids seen before, to which this one is added. */
function classified({ record, id, orderId, match, isForeign }: Letter, before: Set<string>): Classified {
  const judged = (is: keyof typeof LETTER_CLASSES, error?: OmsError): Classified => ({
    ...{ record, is, orderId, eventId: id || null, error },
  });
  if (isForeign) {
    const whose = publishedBy(record, DLQ_HEADERS.deployment);
    return judged('foreign', new OmsError('OMS_AUDIT_RECORD_FOREIGN', whose));
  }
  if (!match)
    return judged('unknown', new OmsError('OMS_AUDIT_RECORD_UNKNOWN', `no dead letter has the id ${id || '(none)'}`));
  if (!match.isSame) {
    const what = `dead letter ${id} has another key, reason or other bytes in its table`;
    return judged('differs', new OmsError('OMS_AUDIT_RECORD_DIFFERS', what));
  }
  if (before.has(id)) return judged('repeat');
  before.add(id);
  return judged('told');
}
