import { isFree } from '../../local/ports.ts';
import { isRunning } from '../../local/processes.ts';
import { externalParts } from '../../local/settings.ts';
import { readStack } from '../../local/state-file.ts';
import type { StackRecord } from '../../local/state-file.ts';
import type { ComponentName, Endpoints } from '../../local/types.ts';
import type { Config, SettingName } from '../../platform/config/settings.ts';
import { ROLES } from '../../platform/roles.ts';
import { fault, ok } from './finding.ts';
import type { Verdict } from './finding.ts';

/** A port of the map, and who has it. `ours`: a process of this state directory, or a role that answers as one. */
export interface PortEntry {
  what: string;
  /** Where it is: a port of 127.0.0.1, or the address of a part that runs elsewhere. */
  where: string;
  /** The setting that changes it. */
  setting: SettingName;
  state: 'ours' | 'free' | 'taken' | 'elsewhere';
}

type PortSetting = Extract<SettingName, `OMS_${string}_PORT`>;
const LOCAL: readonly { what: string; part: ComponentName; setting: PortSetting; address: SettingName }[] = [
  { what: 'Kafka', part: 'kafka', setting: 'OMS_KAFKA_PORT', address: 'KAFKA_BROKERS' },
  { what: 'schema registry', part: 'registry', setting: 'OMS_REGISTRY_PORT', address: 'SCHEMA_REGISTRY_URL' },
  { what: 'Temporal', part: 'temporal', setting: 'OMS_TEMPORAL_PORT', address: 'TEMPORAL_ADDRESS' },
  { what: "Temporal's web UI", part: 'temporal', setting: 'OMS_TEMPORAL_UI_PORT', address: 'TEMPORAL_UI_URL' },
  { what: 'PostgreSQL', part: 'postgres', setting: 'OMS_POSTGRES_PORT', address: 'DATABASE_URL' },
];

/** Every port of the local stack and of the roles, in the order of the README. */
export async function readPortMap(config: Config): Promise<PortEntry[]> {
  const stack = await readStack(config.OMS_STATE_DIR);
  const external = externalParts();
  const local = LOCAL.map(async ({ what, part, setting, address }): Promise<PortEntry> => {
    const where = external[part];
    if (where !== undefined)
      return { what, where: shownAddress(config, address, where), setting: address, state: 'elsewhere' };
    const isOurs = await runs(stack, part);
    const port = (isOurs && portOf(stack, setting)) || Number(config[setting]);
    return { what, where: `127.0.0.1:${port}`, setting, state: isOurs ? 'ours' : await stateOf(port) };
  });
  const roles = ROLES.map(async ({ name, setting }): Promise<PortEntry> => {
    const port = config[setting];
    return { what: `health of ${name}`, where: `127.0.0.1:${port}`, setting, state: await roleState(port) };
  });
  const known = await Promise.all([...local, ...roles]);
  return [...known, await apiEntry(config, known)];
}

/** The API's own port is ours when its health port is: on this one anybody may have put a proxy. */
async function apiEntry(config: Config, known: readonly PortEntry[]): Promise<PortEntry> {
  const setting = 'OMS_API_PORT';
  const isOurs = known.some((entry) => entry.setting === 'OMS_API_HEALTH_PORT' && entry.state === 'ours');
  const state = isOurs ? 'ours' : await stateOf(config[setting]);
  return { what: 'HTTP API', where: `127.0.0.1:${config[setting]}`, setting, state };
}

function shownAddress(config: Config, address: SettingName, given: string): string {
  if (address === 'TEMPORAL_UI_URL') return config.TEMPORAL_UI_URL || 'not set';
  return given.replace(/\/\/([^:@/]+):[^@/]*@/, '//$1:***@');
}

async function runs(stack: StackRecord | undefined, part: ComponentName): Promise<boolean> {
  const recorded = stack?.components[part];
  return recorded !== undefined && (await isRunning(recorded));
}

const ADDRESSES: Partial<Record<PortSetting, keyof Endpoints>> = {
  OMS_KAFKA_PORT: 'kafkaBrokers',
  OMS_REGISTRY_PORT: 'schemaRegistryUrl',
  OMS_TEMPORAL_PORT: 'temporalAddress',
  OMS_TEMPORAL_UI_PORT: 'temporalUiUrl',
  OMS_POSTGRES_PORT: 'databaseUrl',
};

/** A running stack may have been started with other settings than ours. */
function portOf(stack: StackRecord | undefined, setting: PortSetting): number {
  const key = ADDRESSES[setting];
  const address = key && stack?.endpoints[key];
  return Number(/:(\d+)(?:\/|$)/.exec(address ?? '')?.[1] ?? 0);
}

const stateOf = async (port: number): Promise<PortEntry['state']> => ((await isFree(port)) ? 'free' : 'taken');

/** Roles may run under anybody's hand: one is known by how it answers. */
async function roleState(port: number): Promise<PortEntry['state']> {
  if (await isFree(port)) return 'free';
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/livez`, { signal: AbortSignal.timeout(2_000) });
    const body = (await answer.json()) as { checks?: unknown };
    return typeof body.checks === 'object' ? 'ours' : 'taken';
  } catch {
    return 'taken';
  }
}

/** Check: no other program sits on a port that is to be ours. */
export function portVerdicts(map: readonly PortEntry[]): Verdict[] {
  const taken = map.filter(({ state }) => state === 'taken');
  if (taken.length === 0) return [ok(`${map.length} ports free or ours`)];
  return taken.map(({ what, where, setting }) =>
    fault('OMS_LOCAL_PORT_TAKEN', `${where} is taken by another program`, {
      about: what,
      fix: `end the program on it, or set ${setting} to a free port`,
    }),
  );
}
