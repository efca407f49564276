import type { Environment } from './load.ts';
import type { SettingName } from './settings.ts';

/** The environment of a child process: ours, with `extra` on top. */
export function childEnvironment(extra: Environment, base: Environment = process.env): NodeJS.ProcessEnv {
  return { ...base, ...extra };
}

/** The value of a setting only if it was given, not its default: empty counts as not given. */
export function givenSetting(name: SettingName, environment: Environment = process.env): string | undefined {
  return environment[name] || undefined;
}
