import { Registry, collectDefaultMetrics } from 'prom-client';
import { ROLE_LABEL } from './metric-names.ts';

export { Counter, Gauge, Histogram } from 'prom-client';
export type { Registry } from 'prom-client';

/** The metrics of one process, with Node's own (memory, event loop). Each module defines its metrics on it. */
export function createMetrics(role: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ [ROLE_LABEL]: role });
  collectDefaultMetrics({ register: registry });
  return registry;
}
