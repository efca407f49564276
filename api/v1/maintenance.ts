import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isMaintenance, setMaintenance } from '../../orders/money/spend.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { problems, typed } from './atoms.ts';

const maintenance = z
  .object({
    on: z.boolean('must be true or false').describe('True: payments are held, and orders wait for it to end.'),
  })
  .strict()
  .meta({ id: 'Maintenance' });

/** Whether payments are held. */
export function registerMaintenance(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/maintenance',
    {
      schema: {
        operationId: 'getMaintenance',
        summary: 'Whether payments are held.',
        tags: ['limits'],
        response: { 200: maintenance, ...problems() },
      },
    },
    async () => ({ on: await isMaintenance(db) }),
  );
  typed(app).put(
    '/maintenance',
    {
      schema: {
        operationId: 'setMaintenance',
        summary: 'Hold payments, or let them go on.',
        tags: ['limits'],
        body: maintenance,
        response: { 200: maintenance, ...problems(413, 415) },
      },
    },
    async ({ body: { on } }) => {
      await setMaintenance(db, on);
      return { on };
    },
  );
}
