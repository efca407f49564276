import type { RoleSpec } from '../../local/supervisor.ts';
import type { Endpoints } from '../../local/types.ts';

export interface Link {
  name: string;
  where: string;
}

/** A database URL as it may be shown. */
const masked = (url: string): string => url.replace(/\/\/([^:@/]+):[^@/]*@/, '//$1:***@');

/** Where everything is that a person may want to look at. */
export function linksOf(running: {
  endpoints: Endpoints;
  namespace: string;
  roles: readonly RoleSpec[];
  /** Of the HTTP API, if it runs. */
  apiUrl?: string;
  logs: string;
}): Link[] {
  const { endpoints, namespace, roles, apiUrl, logs } = running;
  const ui = endpoints.temporalUiUrl && `${endpoints.temporalUiUrl}/namespaces/${namespace}/workflows`;
  return [
    ...(apiUrl ? [{ name: 'HTTP API', where: `${apiUrl}/docs` }] : []),
    ...(ui ? [{ name: 'Workflows', where: ui }] : [{ name: 'Temporal', where: endpoints.temporalAddress }]),
    { name: 'Kafka', where: endpoints.kafkaBrokers },
    { name: 'Schemas', where: `${endpoints.schemaRegistryUrl}/subjects` },
    { name: 'Database', where: masked(endpoints.databaseUrl) },
    ...roles.map(({ name, readyUrl }) => ({ name: `Role ${name}`, where: readyUrl.replace(/readyz$/, 'metrics') })),
    { name: 'Logs', where: logs },
  ];
}

/** The links in a frame. */
export function linkBox(links: readonly Link[], footer: string): string {
  const nameWidth = Math.max(...links.map(({ name }) => name.length));
  const rows = [...links.map(({ name, where }) => `${name.padEnd(nameWidth)}  ${where}`), '', footer];
  const width = Math.max(...rows.map((row) => row.length));
  const edge = '─'.repeat(width + 2);
  return [`┌${edge}┐`, ...rows.map((row) => `│ ${row.padEnd(width)} │`), `└${edge}┘`].join('\n');
}
