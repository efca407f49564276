import { sql } from 'kysely';
import type { RawBuilder, SelectType } from 'kysely';
import { rowsOf } from './database.ts';
import type { Tables } from './tables.ts';

type ColumnOf<T extends keyof Tables> = keyof Tables[T] & string;
type SqlType = 'text' | 'int' | 'bigint' | 'boolean' | 'jsonb' | 'timestamptz';

/** Columns of a table and their SQL types: listed once, for the statements that write them and those that read them. */
export interface ColumnList<T extends keyof Tables, C extends ColumnOf<T>> {
  table: T;
  types: Readonly<Record<C, SqlType>>;
  names: readonly C[];
  /** The names in a row of several tables, as `selectPart` gives them. */
  keys: readonly string[];
  /** What `insertRows` says of them, put together once: it is on the way of every step. */
  text: { columns: string; values: string; typed: string };
}

/** A row as it is written: plain JSON, times as ISO 8601. */
export type PlainRow<L> =
  L extends ColumnList<infer T, infer C> ? { [K in C]: Plain<SelectType<Tables[T][K]>> } : never;
type Plain<V> = V extends Date ? string : V;

/** The compiler checks the names against the table. */
export function columnList<T extends keyof Tables, C extends ColumnOf<T>>(
  table: T,
  types: Readonly<Record<C, SqlType>>,
): ColumnList<T, C> {
  return listOf(table, types, Object.keys(types) as C[]);
}

function listOf<T extends keyof Tables, C extends ColumnOf<T>>(
  table: T,
  types: Readonly<Record<C, SqlType>>,
  names: readonly C[],
): ColumnList<T, C> {
  const typed = names.map((name) => `${name} ${types[name]}`).join(', ');
  const text = { columns: names.join(', '), values: names.map((name) => `r.${name}`).join(', '), typed };
  return { table, types, names, keys: names.map((name) => `${table}_${name}`), text };
}

/** The list without some of its columns. */
export function without<T extends keyof Tables, C extends ColumnOf<T>, X extends C>(
  { table, types, names }: ColumnList<T, C>,
  ...left: X[]
): ColumnList<T, Exclude<C, X>> {
  const kept = names.filter((name): name is Exclude<C, X> => !(left as string[]).includes(name));
  return listOf<T, Exclude<C, X>>(table, types, kept);
}

/** `insert into <table> (…) select …`: one statement and one parameter, whatever the number of rows. `more`: the same for all. */
export function insertRows<T extends keyof Tables, C extends ColumnOf<T>>(
  list: ColumnList<T, C>,
  rows: readonly PlainRow<ColumnList<T, C>>[],
  more: Partial<Record<ColumnOf<T>, RawBuilder<unknown>>> = {},
): RawBuilder<unknown> {
  const { table, text } = list;
  const extra = Object.entries<RawBuilder<unknown> | undefined>(more);
  const columns = sql.raw([text.columns, ...extra.map(([name]) => name)].join(', '));
  const values = [sql.raw(text.values), ...extra.map(([, value]) => value)];
  return sql`insert into ${sql.raw(table)} (${columns}) select ${sql.join(values)} from ${rowsOf(rows, text.typed)}`;
}

/** `status = excluded.status, …`: what an upsert sets of a row that is there. */
export function setExcluded({ names }: { names: readonly string[] }): RawBuilder<unknown> {
  return sql.raw(names.map((name) => `${name} = excluded.${name}`).join(', '));
}

/** `p.status as payments_status, …`: columns of the table that has this alias, to be read by `partOf`. */
export function selectPart(
  { table, names }: { table: string; names: readonly string[] },
  alias: string,
): RawBuilder<unknown> {
  return sql.raw(names.map((name) => `${alias}.${name} as ${table}_${name}`).join(', '));
}

/** The part of a joined row that is this table's; null when there is none, by the first column listed. */
export function partOf<T extends keyof Tables, C extends ColumnOf<T>>(
  { names, keys }: ColumnList<T, C>,
  row: Readonly<Record<string, unknown>>,
): { [K in C]: SelectType<Tables[T][K]> } | null {
  if (row[keys[0] ?? ''] === null) return null;
  const part: Record<string, unknown> = {};
  names.forEach((name, i) => (part[name] = row[keys[i] ?? '']));
  return part as { [K in C]: SelectType<Tables[T][K]> };
}
