import { readFileSync } from 'node:fs';
import path from 'node:path';

const COMPOSE_FILE = path.join(import.meta.dirname, '..', '..', 'docker-compose.yml');

export type ImageSetting = 'KAFKA_IMAGE' | 'REGISTRY_IMAGE' | 'TEMPORAL_IMAGE' | 'POSTGRES_IMAGE';

/** The image a part runs from: the setting's value, else the one docker-compose.yml names. */
export function imageOf(setting: ImageSetting): string {
  const given = process.env[setting];
  if (given) return given;
  const found = new RegExp(`\\$\\{${setting}:-([^}]+)\\}`).exec(readFileSync(COMPOSE_FILE, 'utf8'))?.[1];
  if (!found) throw new Error(`docker-compose.yml names no ${setting}`);
  return found;
}
