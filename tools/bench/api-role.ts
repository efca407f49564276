import { freePorts } from '../../local/ports.ts';
import { until } from './world.ts';
import type { Role, World } from './world.ts';

/** The api role of a world, and where it answers. */
export async function startApi(world: World, extra: Record<string, string> = {}): Promise<Role & { apiUrl: string }> {
  const [port = 0] = await freePorts(1);
  const role = await world.startRole('api', { OMS_API_PORT: String(port), OMS_API_HEALTH_PORT: '0', ...extra });
  // A role is up before the API listens: it waits for what it needs.
  await until('the api to listen', async () => (await fetch(`${role.url}/readyz`)).ok);
  const apiUrl = `http://127.0.0.1:${port}`;
  return { ...role, apiUrl };
}
