import type { Database } from '../../../database/database.ts';
import type { IsForeign } from '../../../kafka/admin/deployment-mark.ts';
import type { Codec } from '../../../kafka/codec/codec.ts';
import type { RecordFilter } from '../filter.ts';

/** What a classifier needs that keeps notes of a dry run. */
export interface NotingOptions {
  db: Database;
  codec: Codec;
  /** With prefix. */
  topic: string;
  filter: RecordFilter;
  /** The replay to keep notes for; undefined where the database itself will know, because what is judged is also done. */
  notesOf: string | undefined;
}

/** What is asked of records on topics of ours: also whose they are. */
export interface ToldOptions extends NotingOptions {
  isForeign: IsForeign;
}
