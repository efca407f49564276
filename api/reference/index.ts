import type { FastifyInstance } from 'fastify';
import type { ApiDependencies } from '../dependencies.ts';

/** The routes of the reference OMS, as its clients know them: docs/reference-api.md lists what differs, and why. */
export async function registerReference(app: FastifyInstance, deps: ApiDependencies): Promise<void> {
  // Its clients name no content type, or the wrong one: whatever comes is JSON.
  app.removeAllContentTypeParsers();
  void deps;
}
