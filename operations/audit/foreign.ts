import { orderIdOf } from '../../domain/ids.ts';
import { publishedBy } from '../../kafka/admin/deployment-mark.ts';
import type { IsForeign } from '../../kafka/admin/deployment-mark.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { DEPLOYMENT_HEADER, DLQ_HEADERS } from '../../kafka/headers.ts';
import type { Difference } from './difference.ts';

type Note = (records: readonly ConsumedRecord[]) => Promise<readonly Difference[]>;

/** What other deployments have put on our topics is told as such, and compared with nothing of ours. */
export function ownAlone(part: 'topics' | 'letters', isForeign: IsForeign, note: Note): Note {
  const header = part === 'letters' ? DLQ_HEADERS.deployment : DEPLOYMENT_HEADER;
  return async (records) => {
    const foreign = new Set(records.filter(({ headers }) => isForeign(headers, header)));
    const own = await note(records.filter((record) => !foreign.has(record)));
    return [...[...foreign].map((record) => told(part, record, header)), ...own];
  };
}

function told(part: 'topics' | 'letters', record: ConsumedRecord, header: string): Difference {
  const { topic, partition, offset, key } = record;
  const subject = `${topic} ${partition}:${offset}`;
  const detail = publishedBy(record, header);
  const orderId = key ? orderIdOf(key.toString()) : null;
  return { part, code: 'OMS_AUDIT_RECORD_FOREIGN', orderId, subject, detail, remedy: null };
}
