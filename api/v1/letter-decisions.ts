import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { dropLetterIn } from '../../operations/dead-letters/redrive.ts';
import { answerOnce } from '../commands/answer-once.ts';
import { redriveOnce } from '../commands/redrive-once.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { idempotencyKey, problems } from './atoms.ts';
import { decisionRequest, dropped, editRequest, letterId, redriven } from './dead-letter-schemas.ts';
import { give, typed } from './routes.ts';

/** What an operator decides about a dead letter: by the same functions as `oms dlq`, so that both keep the same rules. */
export function registerLetterDecisions(app: FastifyInstance, deps: ApiDependencies): void {
  registerRedrive(app, deps, {
    action: 'retry',
    summary: 'Put its record back on its topic as it came, with the number of the attempt.',
    body: decisionRequest,
  });
  registerRedrive(app, deps, {
    action: 'edit',
    summary: 'Put a corrected record on its topic in its place, checked by the rules every record is checked by.',
    body: editRequest,
  });
  registerDrop(app, deps);
}

function registerRedrive<B extends typeof decisionRequest | typeof editRequest>(
  app: FastifyInstance,
  deps: ApiDependencies,
  { action, summary, body: schema }: { action: 'retry' | 'edit'; summary: string; body: B },
): void {
  typed(app).post(
    `/dead-letters/:id/${action}`,
    {
      schema: {
        operationId: `${action}DeadLetter`,
        summary,
        description: 'Answered when the topic has acknowledged it; what comes of it then is what comes of any record.',
        tags: ['operations'],
        params: letterId,
        headers: idempotencyKey,
        body: schema,
        response: { 200: redriven, ...problems(404, 409, 413, 415, 422) },
      },
    },
    async ({ params: { id }, body, headers }, reply) => {
      const request = {
        key: headers['idempotency-key'],
        scope: `POST /v1/dead-letters/${id}/${action}`,
        content: body,
      };
      const { value, ...by } = body as z.output<typeof decisionRequest> & { value?: Record<string, unknown> };
      const answer = await redriveOnce(deps, request, { id, by, value });
      return give(reply, answer).send(answer.body as z.output<typeof redriven>);
    },
  );
}

function registerDrop(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).post(
    '/dead-letters/:id/drop',
    {
      schema: {
        operationId: 'dropDeadLetter',
        summary: 'Give it up: it stays where it is, and is no longer open.',
        tags: ['operations'],
        params: letterId,
        headers: idempotencyKey,
        body: decisionRequest,
        response: { 200: dropped, ...problems(404, 409, 413, 415, 422) },
      },
    },
    async ({ params: { id }, body, headers }, reply) => {
      const request = { key: headers['idempotency-key'], scope: `POST /v1/dead-letters/${id}/drop`, content: body };
      const answer = await answerOnce(db, request, async (tx) => {
        await dropLetterIn(tx, id, body);
        return { status: 200, body: { id, outcome: 'dropped' } };
      });
      return give(reply, answer).send(answer.body as z.output<typeof dropped>);
    },
  );
}
