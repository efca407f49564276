import type { IHeaders } from 'kafkajs';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';

/** A Kafka record as it was received, whole: what is kept with a parked event or a dead letter. */
export interface StoredRecord {
  topic: string;
  partition: number;
  offset: number;
  /** The record's timestamp as Kafka gave it, ms since the epoch; -1 where it had none. */
  time: number;
  key: Buffer | null;
  value: Buffer | null;
  /** A header may stand several times: its values in order. */
  headers: Record<string, Buffer[]>;
}

/** The columns of a stored record, as every table names them. */
export interface RecordRow {
  record_topic: string;
  record_partition: number;
  record_offset: number;
  record_time: Date;
  record_key: Buffer | null;
  record_value: Buffer | null;
  record_headers: Record<string, string[]>;
}

/** PostgreSQL and JavaScript both hold any time between these two. */
const LATEST_TIME = Date.UTC(9999, 11, 31);

/** A record's time as a column holds it; times no calendar has become the epoch. */
export function recordTime(time: number): Date {
  return new Date(time >= 0 && time <= LATEST_TIME ? time : 0);
}

/** Header values are bytes, which JSON cannot hold: they are kept in base64. */
export function recordColumns(record: StoredRecord): Omit<RecordRow, 'record_headers'> & { record_headers: string } {
  const headers = Object.entries(record.headers).map(([name, values]) => [
    storable(name),
    values.map((value) => value.toString('base64')),
  ]);
  return {
    record_topic: record.topic,
    record_partition: record.partition,
    record_offset: record.offset,
    record_time: recordTime(record.time),
    record_key: record.key,
    record_value: record.value,
    record_headers: JSON.stringify(Object.fromEntries(headers)),
  };
}

export function recordFrom(row: RecordRow): StoredRecord {
  const headers = Object.entries(row.record_headers).map(([name, values]) => [
    name,
    values.map((value) => Buffer.from(value, 'base64')),
  ]);
  return {
    topic: row.record_topic,
    partition: row.record_partition,
    offset: row.record_offset,
    time: row.record_time.getTime(),
    key: row.record_key,
    value: row.record_value,
    headers: Object.fromEntries(headers) as Record<string, Buffer[]>,
  };
}

/** Text as PostgreSQL can hold it: well-formed Unicode without the character U+0000. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}

/** A consumed record as the database keeps it. */
export function storedRecord(record: ConsumedRecord): StoredRecord {
  const { topic, partition, key, value, timestamp: time } = record;
  return { topic, partition, offset: Number(record.offset), time, key, value, headers: storedHeaders(record.headers) };
}

function storedHeaders(headers: IHeaders): Record<string, Buffer[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, (Array.isArray(value) ? value : [value]).map(bytes)]),
  );
}

/** kafkajs gives a header without a value as null or undefined, whatever its type says. */
function bytes(value: Buffer | string | null | undefined): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : (value ?? Buffer.alloc(0));
}
