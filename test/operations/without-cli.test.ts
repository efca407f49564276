import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** Where a caller of each operation begins. */
const ENTRIES: Record<string, readonly string[]> = {
  audit: ['audit.ts'],
  'dead-letters': ['decide.ts', 'redrive.ts'],
  demo: ['play-demo.ts'],
  doctor: ['run-doctor.ts'],
  import: ['import-invoices.ts'],
  produce: ['read-events.ts', 'topic-producer.ts'],
  rebuild: ['run-rebuild.ts'],
  replay: ['request.ts', 'plan.ts', 'run.ts'],
  setup: ['run-setup.ts'],
  stuck: ['reasons.ts', 'actions.ts', 'recovery.ts'],
  topics: ['tail.ts'],
  up: ['run-up.ts'],
};

const LIST_LOADED = `
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
for (const entry of process.argv.slice(1)) await import(entry);
console.log(JSON.stringify(loaded));
process.exit();
`;

/** The modules that a process loads that imports these files, as paths from the root. */
async function loadedBy(files: readonly string[]): Promise<string[]> {
  const entries = files.map((file) => path.join(ROOT, file));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', LIST_LOADED, '--', ...entries],
    { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 },
  );
  return (JSON.parse(stdout) as string[]).map((url) => url.replace(`file://${ROOT}/`, ''));
}

const ofCommandLine = (modules: readonly string[]): string[] =>
  modules.filter((module) => /^(cli|api)\/|node_modules\/(commander|cli-progress)\//.test(module));

describe('an operation without the command line', () => {
  it('has an entry in every folder of operations', () => {
    expect(Object.keys(ENTRIES)).toEqual(readdirSync(path.join(ROOT, 'operations')).toSorted());
  });

  it('loads nothing of it, whichever is called', async () => {
    const entries = Object.entries(ENTRIES).flatMap(([folder, files]) =>
      files.map((file) => `operations/${folder}/${file}`),
    );
    const loaded = await loadedBy(entries);
    expect(loaded).toEqual(expect.arrayContaining(entries));
    expect(ofCommandLine(loaded)).toEqual([]);
  });

  it('would be noticed to load it', async () => {
    expect(ofCommandLine(await loadedBy(['cli/doctor.ts'])).length).toBeGreaterThan(0);
  });
});
