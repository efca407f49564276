import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CONTAINER_SETTINGS } from '../../platform/config/container-settings.ts';
import { unknownSettings } from '../../platform/config/load.ts';
import { SETTINGS } from '../../platform/config/settings.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const compose = read('docker-compose.yml');
const dockerfile = read('Dockerfile');
const taken = [...compose.matchAll(/\$\{([A-Z_]+)(?::-([^}]*))?\}/g)].map(([, name = '', fallback]) => ({
  name,
  fallback,
}));

const described: Record<string, { default: string }> = { ...SETTINGS, ...CONTAINER_SETTINGS };

describe('docker-compose.yml', () => {
  it('takes nothing from the environment that .env.example does not tell, with the default told there', () => {
    expect(taken.length).toBeGreaterThan(20);
    for (const { name, fallback } of taken)
      expect({ name, fallback }).toEqual({ name, fallback: described[name]?.default });
  });

  it('takes all that .env.example tells of it', () => {
    const names = new Set(taken.map(({ name }) => name));
    expect(Object.keys(CONTAINER_SETTINGS).filter((name) => !names.has(name))).toEqual([]);
  });

  it('has a published port in .env for each that it publishes, and a named volume for all that is kept', () => {
    const published = [...compose.matchAll(/\$\{PUBLISH_ADDRESS:-127\.0\.0\.1\}:(\S+):\d+['"]/g)].map(
      ([, port]) => port,
    );
    expect(published).toHaveLength(11);
    for (const port of published) expect(port).toMatch(/^\$\{[A-Z_]+_PORT:-\d+\}$/);
  });

  it('holds no setting that the command line would call unknown', () => {
    expect(unknownSettings({ OMS_IMAGE: 'x', OMS_VERSION: '1', OMS_REVISION: 'r' })).toEqual([]);
  });
});

describe('the Dockerfile', () => {
  it("gives each role's health port its default, which the health check reads from there", () => {
    const health = read('deploy/health.js');
    const ports = ['OMS_INGEST_PORT', 'OMS_WORKER_PORT', 'OMS_PUBLISHER_PORT', 'OMS_API_HEALTH_PORT'] as const;
    for (const port of ports) {
      expect(dockerfile).toContain(`${port}=${SETTINGS[port].default}`);
      expect(compose).toContain(`${port}: ${SETTINGS[port].default}`);
      expect(health).toContain(port);
    }
  });
});
