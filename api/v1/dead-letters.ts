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
import { contentOf } from '../../operations/dead-letters/content.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { next, placeOf, problems } from './atoms.ts';
import { deadLetter, letterId, letterQuery, wholeLetter } from './dead-letter-schemas.ts';
import { iso, isoOrNull } from './json.ts';
import { registerLetterDecisions } from './letter-decisions.ts';
import { typed } from './routes.ts';

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
