import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Seen } from '../helpers/preload-probe.ts';

const require = createRequire(import.meta.url);
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const probe = fileURLToPath(new URL('../helpers/preload-probe.ts', import.meta.url));

/**
 * What workflows/preload.ts relies on inside the SDK. Where one of these fails after an update of Temporal's packages, look
 * at `GlobalHandlers.setPromiseHook` of the new worker, adapt or drop the module, and only then change what stands here.
 */
const READ_WITH = '1.24.0';

describe("The module that keeps the SDK from recording promises' stacks", () => {
  it('was written for the versions of the SDK that are pinned and installed', () => {
    const { dependencies } = readJson(fileURLToPath(new URL('../../package.json', import.meta.url)));
    const pinned = dependencies as Record<string, string>;
    for (const name of ['@temporalio/worker', '@temporalio/workflow']) {
      expect([name, pinned[name]]).toEqual([name, READ_WITH]);
      expect([name, readJson(require.resolve(`${name}/package.json`)).version]).toEqual([name, READ_WITH]);
    }
  });

  it('knows every way the SDK reaches through a promise into the global scope of a workflow', () => {
    const source = readFileSync(require.resolve('@temporalio/worker/lib/workflow/vm-shared.js'), 'utf8');
    expect(source.match(/\w+\.constructor\.constructor/g)).toEqual(Array(2).fill('promise.constructor.constructor'));
    const asked = source.matchAll(/\b(?:ctor|fn)\('([^']+)'\)\(\)/g);
    expect([...asked].map(([, code]) => code)).toEqual([
      'return globalThis.__TEMPORAL_ACTIVATOR__',
      'return globalThis.Error',
    ]);
    expect(source).toContain('new ErrorCtor().stack?.replace(');
    expect(source).toMatch(/if \(this\.currentStackTrace === undefined\) \{\s+return;/);
  });

  it('stops the recording, and leaves a rejection nobody handles to fail the task', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [probe], { timeout: 60_000 });
    const { plain, preloaded } = JSON.parse(stdout) as Record<'plain' | 'preloaded', Seen>;
    expect(plain.stacks).toBeGreaterThan(0);
    expect(preloaded.stacks).toBe(0);
    expect([plain.failure, preloaded.failure]).toEqual(
      Array(2).fill('Unhandled Promise rejection: Error: nobody waited for this'),
    );
  }, 60_000);
});
