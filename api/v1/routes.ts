import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import type { Answer } from '../commands/answer-once.ts';

/** An app whose routes are typed by their zod schemas. */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}

/** Gives an answer that may have been given before; then it says so. */
export function give<R extends FastifyReply>(reply: R, answer: Answer & { replayed: boolean }): R {
  if (answer.replayed) reply.header('idempotent-replayed', 'true');
  reply.code(answer.status).headers(answer.headers ?? {});
  return reply;
}

/** Rows as a CSV stream with a header line; what a spreadsheet would take for a formula is made text. */
export function csvOf(columns: readonly string[], rows: AsyncIterable<Record<string, unknown>>): Readable {
  return Readable.from(rows).pipe(stringify({ header: true, columns: [...columns], escape_formulas: true }));
}

/** Times as the API writes them. */
export const iso = (time: Date | number): string => new Date(time).toISOString();
export const isoOrNull = (time: Date | number | null): string | null => (time === null ? null : iso(time));
