import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Answer } from '../commands/answer-once.ts';

/** An app whose routes are typed by their zod schemas. */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}
export type TypedApp = ReturnType<typeof typed>;

/** Gives an answer that may have been given before; then it says so. */
export function give<R extends FastifyReply>(reply: R, answer: Answer & { replayed: boolean }): R {
  if (answer.replayed) reply.header('idempotent-replayed', 'true');
  reply.code(answer.status).headers(answer.headers ?? {});
  return reply;
}
