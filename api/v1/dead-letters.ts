import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readCursor, writeCursor } from '../../database/read/cursor.ts';
import { listDeadLettersPaged } from '../../database/read/dead-letters.ts';
import type { ListedDeadLetter } from '../../database/read/dead-letters.ts';
import { ERRORS } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { next, orderId, paging, placeOf, problems, time } from './atoms.ts';
import { iso, isoOrNull } from './json.ts';
import { typed } from './routes.ts';

const code = z
  .enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]], 'must be an error code')
  .meta({ id: 'ErrorCode' });
const query = z.object({ code: code.optional(), order: orderId.optional(), ...paging }).strict();

const deadLetter = z
  .object({
    id: z.string(),
    code: z.string(),
    message: z.string(),
    fault: z.object({ field: z.string(), value: z.string(), rule: z.string() }).nullable(),
    orderId: z.string().nullable().describe('Where that could be read.'),
    source: z.string().nullable(),
    topic: z.string(),
    partition: z.int(),
    offset: z.int(),
    createdAt: time,
    sentAt: time.nullable().describe('When the dead letter topic acknowledged it.'),
  })
  .meta({ id: 'DeadLetter' });

/** What was refused, and why. */
export function registerDeadLetters(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/dead-letters',
    {
      schema: {
        operationId: 'listDeadLetters',
        summary: 'Records the OMS refused, with the reason, newest first.',
        tags: ['operations'],
        querystring: query,
        response: {
          200: z.object({ items: z.array(deadLetter), next }).meta({ id: 'DeadLetterPage' }),
          ...problems(),
        },
      },
    },
    async ({ query: { code, order, ...rest } }) => {
      const page = await listDeadLettersPaged(db, { code, orderId: order }, placeOf(rest, readCursor));
      return { items: page.items.map(letterJson), next: page.next && writeCursor(page.next) };
    },
  );
}

function letterJson({ createdAt, sentAt, ...letter }: ListedDeadLetter): z.output<typeof deadLetter> {
  return { ...letter, createdAt: iso(createdAt), sentAt: isoOrNull(sentAt) };
}
