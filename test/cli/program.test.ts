import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../../cli/commands.ts';
import type { CommandEntry } from '../../cli/commands.ts';
import { table } from '../../cli/output.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

function oms(words: readonly string[], environment: Record<string, string> = {}) {
  const env = { ...process.env, OMS_STATE_DIR: path.join(ROOT, '.oms', 'none'), ...environment };
  return spawnSync(process.execPath, [path.join(ROOT, 'cli', 'oms.js'), ...words], { env, encoding: 'utf8' });
}

function leaves(entries: Readonly<Record<string, CommandEntry>>, path: string[] = []): string[][] {
  return Object.entries(entries).flatMap(([name, entry]) =>
    'commands' in entry ? leaves(entry.commands, [...path, name]) : [[...path, name]],
  );
}

/** All at once: starting a process is what costs. */
function helpOf(words: readonly string[]): Promise<string> {
  const env = { ...process.env, OMS_STATE_DIR: path.join(ROOT, '.oms', 'none') };
  const line = [path.join(ROOT, 'cli', 'oms.js'), ...words, '--help'];
  return promisify(execFile)(process.execPath, line, { env }).then(({ stdout }) => stdout);
}

describe('the command line', () => {
  const commands = leaves(COMMANDS);
  const help = new Map<string, string>();
  beforeAll(async () => {
    const texts = await Promise.all(commands.map(helpOf));
    commands.forEach((words, i) => help.set(words.join(' '), texts[i] ?? ''));
  }, 180_000);

  it.each(commands.map((words) => words.join(' ')))('oms %s has help with examples, and answers in JSON', (name) => {
    expect(help.get(name)).toContain(`Usage: oms ${name}`);
    expect(help.get(name)).toMatch(/Examples:\n {2}\S/);
    expect(help.get(name)).toContain('--json');
  });

  it('lists every command without loading any, and tells the exit codes', () => {
    const { stdout } = oms(['--help']);
    for (const name of Object.keys(COMMANDS)) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2');
  });

  it('hints at the nearest command and exits with 2', () => {
    const { status, stderr } = oms(['orders', 'imprt', 'x.csv']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('Did you mean import?') });
  });

  it('says what is wrong with an option, in JSON where JSON is asked for', () => {
    const { status, stderr } = oms(['orders', 'import', 'x.csv', '--rate', 'fast', '--json']);
    expect(status).toBe(2);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'OMS_CLI_USAGE', message: expect.stringContaining('must be a number of at least 0') },
    });
  });

  it('answers `help` on any level', () => {
    expect(oms(['help', 'stock', 'seed']).stdout).toContain('Usage: oms stock seed');
    expect(oms(['help']).stdout).toContain('Usage: oms [');
  });

  it('reports all faulty settings at once and exits with 1', () => {
    const { status, stderr } = oms(['config', 'show'], { OMS_INGEST_PORT: 'x', LOG_LEVEL: 'loud' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/LOG_LEVEL is "loud".*OMS_INGEST_PORT is "x".*OMS_CONFIG_INVALID/s);
  });

  it('shows the configuration without its secrets', () => {
    const { status, stdout } = oms(['config', 'show', '--json'], { DATABASE_URL: 'postgres://oms:hush@db/oms' });
    expect(status).toBe(0);
    expect(stdout).not.toContain('hush');
    expect(JSON.parse(stdout)).toMatchObject({ DATABASE_URL: 'postgres://oms:***@db/oms' });
  });

  it('warns of a setting that is none of ours', () => {
    expect(oms(['config', 'show'], { OMS_INGST_PORT: '1' }).stderr).toContain('OMS_INGST_PORT is no setting');
  });

  it('names the part that cannot be reached, and its setting', () => {
    const { status, stderr } = oms(['orders', 'ls', '--json'], { DATABASE_URL: 'postgres://oms:oms@127.0.0.1:1/oms' });
    expect(status).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'OMS_DATABASE_UNAVAILABLE' } });
  });

  it('ends quietly when its reader goes away', () => {
    const { status, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" cli/oms.js config show | head -1`], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('a table', () => {
  it('pads columns to their widest cell and shows nothing for what is not there', () => {
    expect(
      table(
        ['A', 'LONG'],
        [
          ['wide cell', 1],
          [null, undefined],
        ],
      ),
    ).toBe('A          LONG\nwide cell  1\n');
  });
});
