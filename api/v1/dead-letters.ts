import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { getDeadLetter } from '../../database/dead-letters.ts';
import type { StoredDeadLetter } from '../../database/dead-letters.ts';
import { decisionsAbout } from '../../database/decisions.ts';
import type { StoredDecision } from '../../database/decisions.ts';
import { readCursor, writeCursor } from '../../database/read/cursor.ts';
import { listDeadLettersPaged } from '../../database/read/dead-letters.ts';
import type { ListedDeadLetter } from '../../database/read/dead-letters.ts';
import { OmsError } from '../../domain/errors.ts';
import { topicNames } from '../../kafka/topics.ts';
import { contentOf, dropLetterIn } from '../../operations/dead-letters/redrive.ts';
import { answerOnce, give } from '../commands/answer-once.ts';
import { redriveOnce } from '../commands/redrive-once.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { idempotencyKey, iso, isoOrNull, next, placeOf, problems, typed } from './atoms.ts';
import {
  deadLetter,
  decisionRequest,
  dropped,
  editRequest,
  letterId,
  letterQuery,
  redriven,
  wholeLetter,
} from './dead-letter-schemas.ts';

/** What was refused, and why; what was decided about it. */
export function registerDeadLetters(app: FastifyInstance, deps: ApiDependencies): void {
  registerList(app, deps);
  registerOne(app, deps);
  registerLetterDecisions(app, deps);
}

function registerList(app: FastifyInstance, { db, config }: ApiDependencies): void {
  const topics = topicNames(config.OMS_PREFIX);
  typed(app).get(
    '/dead-letters',
    {
      schema: {
        operationId: 'listDeadLetters',
        summary: 'Records the OMS refused, with the reason and what was decided, newest first.',
        tags: ['operations'],
        querystring: letterQuery,
        response: {
          200: z.object({ items: z.array(deadLetter), next }).meta({ id: 'DeadLetterPage' }),
          ...problems(),
        },
      },
    },
    async ({ query: { order: orderId, topic, limit, cursor, ...rest } }) => {
      const filter = { ...rest, orderId, topic: topic && topics[topic] };
      const page = await listDeadLettersPaged(db, filter, placeOf({ limit, cursor }, readCursor));
      return { items: page.items.map(listedJson), next: page.next && writeCursor(page.next) };
    },
  );
}

function registerOne(app: FastifyInstance, { db, codec }: ApiDependencies): void {
  typed(app).get(
    '/dead-letters/:id',
    {
      schema: {
        operationId: 'getDeadLetter',
        summary: 'A dead letter: what its record says, and every decision about it.',
        tags: ['operations'],
        params: letterId,
        response: { 200: wholeLetter, ...problems(404) },
      },
    },
    async ({ params: { id } }) => {
      const letter = await getDeadLetter(db, id);
      if (!letter) throw new OmsError('OMS_DLQ_UNKNOWN', `there is no dead letter ${id}`);
      const decisions = await decisionsAbout(db, 'deadLetter', id);
      const { value = null, hex = null } = await contentOf(codec, letter.record);
      return { ...wholeJson(letter), value, hex, decisions: decisions.map(decisionJson) };
    },
  );
}

function listedJson({ createdAt, sentAt, decidedAt, ...letter }: ListedDeadLetter): z.output<typeof deadLetter> {
  return { ...letter, createdAt: iso(createdAt), sentAt: isoOrNull(sentAt), decidedAt: isoOrNull(decidedAt) };
}

function wholeJson({ record, ...letter }: StoredDeadLetter) {
  const { topic, partition, offset, key, value, headers } = record;
  return {
    ...listedJson({ ...letter, topic, partition, offset }),
    key: key?.toString() ?? null,
    headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.map(String)])),
    bytes: value?.length ?? 0,
  };
}

function decisionJson({ action, who, why, at, doneAt, outcome }: StoredDecision) {
  return { action, who, why, at: iso(at), doneAt: isoOrNull(doneAt), outcome };
}

/** What an operator decides about a dead letter: by the same functions as `oms dlq`, so that both keep the same rules. */
function registerLetterDecisions(app: FastifyInstance, deps: ApiDependencies): void {
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
