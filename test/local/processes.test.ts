import { describe, it, expect, afterEach } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { freePorts } from '../../local/ports.ts';
import { endProcess, identify, isRunning, runningAmong, waitForEnd } from '../../local/processes.ts';
import type { ProcessIdentity } from '../../local/types.ts';

const SERVER = path.join(import.meta.dirname, 'fixtures', 'server.js');
const children: ChildProcess[] = [];

async function startServer(kind = ''): Promise<ProcessIdentity> {
  const [port = 0] = await freePorts(1);
  const child = spawn(process.execPath, [SERVER, String(port), 'x', kind], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const identity = await identify(child.pid ?? 0);
  if (!identity) throw new Error('the process did not start');
  return identity;
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('processes', () => {
  it('are known by pid and start time', async () => {
    const identity = await startServer();
    expect(await isRunning(identity)).toBe(true);
    expect(await identify(identity.pid)).toEqual(identity);
    expect(await isRunning({ ...identity, started: 'another time' })).toBe(false);
  });

  it('have ended when nothing has their pid', async () => {
    const identity = await startServer();
    process.kill(identity.pid, 'SIGKILL');
    expect(await waitForEnd(identity, 10_000)).toBe(true);
    expect(await identify(identity.pid)).toBeUndefined();
  });

  it('are killed when they do not end in time', async () => {
    const identity = await startServer('stubborn');
    await endProcess(identity, 'SIGTERM', 300);
    expect(await isRunning(identity)).toBe(false);
  });

  it('are never ended when they only share the pid', async () => {
    const identity = await startServer();
    await endProcess({ ...identity, started: 'another time' }, 'SIGKILL', 300);
    expect(await isRunning(identity)).toBe(true);
  });

  it('are named while they run', async () => {
    const [alive, gone] = [await startServer(), await startServer()];
    await endProcess(gone, 'SIGKILL', 5_000);
    expect(await runningAmong({ alive, gone })).toEqual(['alive']);
  });
});
