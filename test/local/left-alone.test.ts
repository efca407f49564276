import { describe, it, expect } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../../local/ports.ts';
import { identify, waitForEnd } from '../../local/processes.ts';
import { exists } from '../../local/tools.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const fixture = (name: string): string => path.join(import.meta.dirname, 'fixtures', name);

/** Nothing answers here: a role waits for its environment. */
const NOWHERE = {
  KAFKA_BROKERS: '127.0.0.1:1',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  DATABASE_URL: 'postgres://oms:oms@127.0.0.1:1/oms',
};

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('when `oms up` is killed', () => {
  it('a role ends: the channel to it is closed', async () => {
    const role = spawn(process.execPath, [path.join(ROOT, 'cli', 'oms.js'), 'publisher'], {
      env: { ...process.env, ...NOWHERE },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    if (!role.stdout) throw new Error('its output is not piped');
    await once(role.stdout, 'data');
    role.disconnect();
    await once(role, 'exit');
    expect([role.exitCode, role.signalCode]).not.toEqual([null, null]);
    role.stdout.destroy();
  });

  it('an ephemeral stack ends, and its directory is removed', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'oms-test-'));
    const [port = 0] = await freePorts(1);
    const script = [fixture('guarded.js'), directory, fixture('server.js'), String(port)];
    const owner = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [told] = (await once(owner.stdout, 'data')) as [Buffer];
    const server = await identify(Number(told.toString()));
    if (!server) throw new Error('the server did not start');
    owner.kill('SIGKILL');
    expect(await waitForEnd(server, 20_000)).toBe(true);
    await until(async () => !(await exists(directory)));
    owner.stdout.destroy();
  });
});
