import { describe, it, expect, beforeEach, afterEach } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { requireSpace } from '../../local/tools.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const TOOLS = path.join(ROOT, 'local', 'tools.ts');

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'oms-test-'));
  // All that a PATH needs to run a shell, and nothing else.
  await symlink('/bin/sh', path.join(directory, 'sh'));
});

afterEach(() => rm(directory, { recursive: true }));

interface Outcome {
  code: number;
  told: string;
}

/** Runs node with `directory` as the whole PATH. */
function run(args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const env = { PATH: directory, HOME: directory, ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, cwd: directory }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, told: stdout + stderr });
    });
  });
}

const require = (what: string): Promise<Outcome> =>
  run(['-e', `import('${TOOLS}').then((t) => t.${what}()).catch((e) => console.log(e.code, e.message))`]);

async function fakeJava(version: string): Promise<void> {
  const file = path.join(directory, 'java');
  await writeFile(file, `#!/bin/sh\necho 'openjdk version "${version}" 2020-01-01' >&2\n`);
  await chmod(file, 0o755);
}

describe('what the local stack needs', () => {
  it('names Java and the remedy in one line when `oms up` does not find it', async () => {
    const elsewhere = { TEMPORAL_ADDRESS: '127.0.0.1:1', DATABASE_URL: 'postgres://a:b@127.0.0.1:1/c' };
    const { code, told } = await run(
      [path.join(ROOT, 'cli', 'oms.js'), 'up', '--ephemeral', '--stack-only'],
      elsewhere,
    );
    expect(code).toBe(1);
    const errors = told.split('\n').filter((line) => line.startsWith('error:'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/Java 17 or newer.*no `java` on the PATH.*Install a JDK.*KAFKA_BROKERS/);
    expect(told).toContain('OMS_LOCAL_JAVA_MISSING');
  });

  it.each(['11.0.2', '1.8.0_292'])('refuses Java %s', async (version) => {
    await fakeJava(version);
    expect((await require('requireJava')).told).toMatch(/^OMS_LOCAL_JAVA_MISSING .*is version (11|8)\./);
  });

  it.each(['17.0.15', '21', '25.0.1'])('takes Java %s', async (version) => {
    await fakeJava(version);
    expect((await require('requireJava')).told).toBe('');
  });

  it('names Maven and the remedy', async () => {
    expect((await require('requireMaven')).told).toMatch(/^OMS_LOCAL_MAVEN_MISSING .*Install Maven/);
  });

  it('names Go and the remedies', async () => {
    expect((await require('requireGo')).told).toMatch(/^OMS_LOCAL_GO_MISSING .*OMS_TEMPORAL_BIN.*TEMPORAL_ADDRESS/);
  });

  it('says how much disk space is missing where', async () => {
    await expect(requireSpace(directory, 1_000_000)).rejects.toMatchObject({
      code: 'OMS_LOCAL_DISK_FULL',
      message: expect.stringMatching(/GiB free, and the local stack needs 1000000 GiB.*OMS_STATE_DIR/) as unknown,
    });
  });

  it('says when the state directory cannot be made', async () => {
    await writeFile(path.join(directory, 'file'), '');
    await expect(requireSpace(path.join(directory, 'file', 'state'), 0)).rejects.toMatchObject({
      code: 'OMS_LOCAL_STATE_UNUSABLE',
    });
  });
});
