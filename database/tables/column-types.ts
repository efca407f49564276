import type { ColumnType } from 'kysely';

/** Set by the database unless given. */
export type Time = ColumnType<Date, Date | undefined, Date>;
export type Json<T> = ColumnType<T, string, string>;

/** Where a record stood on its topic, and its bytes. */
export interface RecordColumns {
  record_topic: string;
  record_partition: number;
  record_offset: number;
  record_time: Date;
  record_key: Buffer | null;
  record_value: Buffer | null;
  record_headers: Json<Record<string, string[]>>;
}
