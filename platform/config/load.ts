import { OmsError, shown } from '../../domain/errors.ts';
import { CONTAINER_SETTINGS } from './container-settings.ts';
import { SETTINGS } from './settings.ts';
import type { Config, SettingName } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const NAMES = Object.keys(SETTINGS) as SettingName[];

/**
 * The configuration of this process. `environment` wins over `defaults` (the addresses of a local stack that runs),
 * which win over the built-in ones. An empty variable counts as not set.
 * @throws OmsError OMS_CONFIG_INVALID naming every faulty setting, its value and its rule at once
 */
export function loadConfig(environment: Environment = process.env, defaults: Environment = {}): Config {
  const faults: string[] = [];
  const read = (name: SettingName): unknown => {
    const text = environment[name] || defaults[name] || SETTINGS[name].default;
    const parsed = SETTINGS[name].type.safeParse(text);
    if (parsed.success) return parsed.data;
    const value = isSecret(name) ? '(hidden)' : shown(text);
    faults.push(`${name} is ${value}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
    return undefined;
  };
  const config = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
  if (faults.length > 0) throw new OmsError('OMS_CONFIG_INVALID', faults.join('\n'));
  return config as Config;
}

/** Names in the environment that look like ours but are none: a typing error should not pass in silence. */
export function unknownSettings(environment: Environment = process.env): string[] {
  return Object.keys(environment).filter(
    (name) =>
      name.startsWith('OMS_') && !name.startsWith('OMS_TEST_') && !(name in SETTINGS || name in CONTAINER_SETTINGS),
  );
}

function isSecret(name: SettingName): boolean {
  return SETTINGS[name].secret ?? false;
}

/** The configuration as it may be shown: secrets hidden, a password inside a URL masked. */
export function shownConfig(config: Config): Record<string, unknown> {
  const show = (name: SettingName): unknown => {
    const value = config[name];
    return isSecret(name) && typeof value === 'string' ? masked(value) : value;
  };
  return Object.fromEntries(NAMES.map((name) => [name, show(name)]));
}

/** Of a database's URL only the password is hidden; any other secret is hidden as a whole. */
function masked(secret: string): string {
  if (secret === '') return '';
  return /^postgres(ql)?:\/\//.test(secret) ? secret.replace(/\/\/([^:@/]+):[^@/]*@/, '//$1:***@') : '***';
}
