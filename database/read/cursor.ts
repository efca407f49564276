import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { faultError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';

/** A place in a list that is ordered by a number, mostly a time, the highest first, and by id. */
export interface Cursor {
  /** ms since the epoch, unless the list says otherwise. */
  at: number;
  id: string;
}

/** One page of a list, and where the next begins; null at the end. */
export interface Page<T, C = Cursor> {
  items: T[];
  next: C | null;
}

/** As it is handed to clients, who give it back as it is. */
export function writeCursor({ at, id }: Cursor): string {
  return written([at, id]);
}

/** @throws OmsError OMS_API_REQUEST_INVALID when it is none of ours */
export function readCursor(text: string): Cursor {
  const [at, id, ...rest] = partsOf(text);
  if (isPlace(at) && isText(id) && rest.length === 0) return { at, id };
  throw foreign(text);
}

/** A place in a list that is ordered by texts, such as SKU and warehouse. */
export type TextCursor = readonly [string, string];

export const writeTextCursor = (cursor: TextCursor): string => written(cursor);

/** @throws OmsError OMS_API_REQUEST_INVALID when it is none of ours */
export function readTextCursor(text: string): TextCursor {
  const [first, second, ...rest] = partsOf(text);
  if (isText(first) && isText(second) && rest.length === 0) return [first, second];
  throw foreign(text);
}

/** The last moment a Date can hold: whatever a cursor says, the database can compare with it. */
const MOST = 8_640_000_000_000_000;
const isPlace = (at: unknown): at is number => Number.isSafeInteger(at) && Number(at) >= 0 && Number(at) <= MOST;

const written = (parts: readonly unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

/** What the database can compare with: it knows no U+0000. */
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\u0000');

function partsOf(text: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

function foreign(text: string): OmsError {
  const rule = 'must be the `next` of a page of this list';
  return faultError('OMS_API_REQUEST_INVALID', { field: 'cursor', value: text, rule });
}

/** Cuts what was read, one row more than wanted, to a page. */
export function pageOf<T, C = Cursor>(rows: T[], limit: number, cursorOf: (row: T) => C): Page<T, C> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last ? cursorOf(last) : null };
}

type Sql = RawBuilder<unknown>;

/** All of these conditions at once. */
export const all = (conditions: Sql[]): Sql => (conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `));

/** Where a list by two texts goes on, and for how long. */
export interface FromText {
  after?: TextCursor | undefined;
  limit: number;
}
