import type { SettingName } from './config/settings.ts';

/** The roles `oms up` runs, each with the setting of its health port. */
export const ROLES = [
  { name: 'publisher', setting: 'OMS_PUBLISHER_PORT' },
  { name: 'worker', setting: 'OMS_WORKER_PORT' },
  { name: 'ingest', setting: 'OMS_INGEST_PORT' },
  { name: 'api', setting: 'OMS_API_HEALTH_PORT' },
] as const satisfies { name: string; setting: SettingName }[];

export type RoleName = (typeof ROLES)[number]['name'];
