import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { requireJava } from './tools.ts';
import type { JavaParts } from './downloads.ts';
import type { Command, Component } from './types.ts';

export interface RegistryOptions {
  dir: string;
  port: number;
  parts: (report: (detail: string) => void) => Promise<JavaParts>;
}

export const registryUrl = (port: number): string => `http://127.0.0.1:${port}/apis/ccompat/v7`;

/**
 * H2 in a file. By default it writes a commit half a second later: a kill in between would forget a schema id that was
 * handed out, and give it to another schema. WRITE_DELAY=0 writes each commit at once.
 */
const databaseUrl = (dir: string): string => `jdbc:h2:file:${path.join(dir, 'registry')};WRITE_DELAY=0`;

async function prepare(options: RegistryOptions, report: (detail: string) => void): Promise<Command> {
  await requireJava();
  const { registryJar, registryDir } = await options.parts(report);
  await mkdir(options.dir, { recursive: true });
  return {
    file: 'java',
    args: ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-jar', registryJar],
    directory: registryDir,
    environment: {
      QUARKUS_HTTP_HOST: '127.0.0.1',
      QUARKUS_HTTP_PORT: String(options.port),
      QUARKUS_HTTP_ACCESS_LOG_ENABLED: 'false',
      APICURIO_STORAGE_KIND: 'sql',
      APICURIO_STORAGE_SQL_KIND: 'h2',
      APICURIO_DATASOURCE_URL: databaseUrl(options.dir),
      APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '2',
      APICURIO_DATASOURCE_JDBC_MIN_SIZE: '2',
      APICURIO_DATASOURCE_JDBC_MAX_SIZE: '16',
    },
  };
}

/** Asks over the API the codec uses; the id is the registry's name and version. */
async function probe(port: number): Promise<string> {
  const ask = async (url: string): Promise<unknown> => {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return response.json();
  };
  await ask(`${registryUrl(port)}/subjects`);
  const info = (await ask(`http://127.0.0.1:${port}/apis/registry/v3/system/info`)) as {
    name: string;
    version: string;
  };
  return `${info.name} ${info.version}`;
}

/** Apicurio Registry with its Confluent-compatible API, storage in a file under `dir`. */
export function createRegistry(options: RegistryOptions): Component {
  return {
    name: 'registry',
    ports: [{ port: options.port, setting: 'OMS_REGISTRY_PORT' }],
    prepare: (report) => prepare(options, report),
    probe: () => probe(options.port),
    stopSignal: 'SIGTERM',
  };
}
