import path from 'node:path';
import type { Config } from '../platform/config/settings.ts';
import { INGEST_NODE_FLAGS } from '../platform/node-flags.ts';
import { ROLES } from '../platform/roles.ts';
import { freePorts, requireFree } from './ports.ts';
import type { RoleSpec } from './supervisor.ts';

const ENTRY = path.join(import.meta.dirname, '..', 'cli', 'oms.js');

export interface RolePorts {
  roles: RoleSpec[];
  /** Where the HTTP API listens. */
  apiUrl: string;
  /** The settings that tell the roles their ports. */
  variables: Record<string, string>;
}

/**
 * The roles and their health ports: the configured ones, or free ones for an ephemeral stack.
 * @throws OmsError OMS_LOCAL_PORT_TAKEN
 */
export async function planRoles(config: Config, ephemeral: boolean): Promise<RolePorts> {
  const [apiFree, ...free] = await freePorts(ROLES.length + 1);
  const apiPort = (ephemeral ? apiFree : config.OMS_API_PORT) ?? 0;
  await requireFree('the HTTP API', apiPort, 'OMS_API_PORT');
  const planned = ROLES.map((role, i) => ({ ...role, port: (ephemeral ? free[i] : config[role.setting]) ?? 0 }));
  for (const { name, port, setting } of planned) await requireFree(`the health of ${name}`, port, setting);
  return {
    roles: planned.map(({ name, port }) => ({
      name,
      args: [...(name === 'ingest' ? INGEST_NODE_FLAGS : []), ENTRY, name],
      readyUrl: `http://127.0.0.1:${port}/readyz`,
    })),
    apiUrl: `http://127.0.0.1:${apiPort}`,
    variables: {
      OMS_API_PORT: String(apiPort),
      ...Object.fromEntries(planned.map(({ setting, port }) => [setting, String(port)])),
    },
  };
}
