import type { FastifyInstance } from 'fastify';
import { OmsError } from '../../domain/errors.ts';

/** A route by which the reference's own workers change what its API shows. Here nobody may: the reason says what does. */
export function notOffered(app: FastifyInstance, path: string, reason: string): void {
  app.post(path, () => {
    throw new OmsError('OMS_API_NOT_OFFERED', `Forbidden: ${reason}`);
  });
}
