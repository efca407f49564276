import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createApp } from '../api/app.ts';
import type { ApiDependencies } from '../api/dependencies.ts';
import { loadConfig } from '../platform/config/load.ts';

/** docs/openapi.json: the document the API serves. Routes are only registered, so nothing has to run. */
export async function openApiFile(): Promise<string> {
  const parts = { config: loadConfig({}), logger: pino({ level: 'silent' }), metrics: new Registry() };
  const app = await createApp(parts as unknown as ApiDependencies);
  try {
    await app.ready();
    return `${JSON.stringify(app.swagger(), null, 2)}\n`;
  } finally {
    await app.close();
  }
}
