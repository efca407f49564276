import { faultError } from '../../domain/errors.ts';

/** A place in a list that is ordered by time, newest first, and by id. */
export interface Cursor {
  /** ms since the epoch. */
  at: number;
  id: string;
}

/** One page of a list, and where the next begins; null at the end. */
export interface Page<T> {
  items: T[];
  next: Cursor | null;
}

/** As it is handed to clients, who give it back as it is. */
export function writeCursor({ at, id }: Cursor): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url');
}

/** @throws OmsError OMS_API_REQUEST_INVALID when it is none of ours */
export function readCursor(text: string): Cursor {
  try {
    const [at, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [unknown, unknown];
    if (Number.isSafeInteger(at) && typeof id === 'string' && !id.includes('\u0000')) return { at: Number(at), id };
  } catch {
    // Named below, as any other that is none of ours.
  }
  const rule = 'must be the `next` of a page of this list';
  throw faultError('OMS_API_REQUEST_INVALID', { field: 'cursor', value: text, rule });
}

/** Cuts what was read, one row more than wanted, to a page. */
export function pageOf<T>(rows: T[], limit: number, cursorOf: (row: T) => Cursor): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last ? cursorOf(last) : null };
}
