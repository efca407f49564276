import { describe, it, expect, beforeEach, afterEach } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../../local/ports.ts';
import { isRunning } from '../../local/processes.ts';
import { createRecorder } from '../../local/state-file.ts';
import type { Recorder } from '../../local/state-file.ts';
import { createSupervisor } from '../../local/supervisor.ts';
import type { RoleEvent, RoleSpec, Supervisor } from '../../local/supervisor.ts';

const fixture = (name: string): string => path.join(import.meta.dirname, 'fixtures', name);

let stateDir: string;
let recorder: Recorder;
let events: RoleEvent[];
let supervisor: Supervisor | undefined;

beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'oms-test-'));
  events = [];
  const endpoints = { kafkaBrokers: '', schemaRegistryUrl: '', temporalAddress: '', databaseUrl: '' };
  recorder = createRecorder({ version: 1, stateDir, endpoints, components: {} });
});

afterEach(async () => {
  await supervisor?.stop();
  supervisor = undefined;
  await rm(stateDir, { recursive: true, force: true });
});

async function role(name: string, script = 'server.js', kind = ''): Promise<RoleSpec> {
  const [port = 0] = await freePorts(1);
  return { name, args: [fixture(script), String(port), name, kind], readyUrl: `http://127.0.0.1:${port}/` };
}

function supervise(roles: RoleSpec[], graceMs = 5_000): Supervisor {
  const onEvent = (event: RoleEvent): void => void events.push(event);
  supervisor = createSupervisor({ stateDir, roles, environment: {}, recorder, graceMs, onEvent });
  return supervisor;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const pidOf = (name: string): number => recorder.record.roles?.[name]?.pid ?? 0;

describe('the supervisor', () => {
  it('starts every role, records it, and resolves when all are ready', async () => {
    await supervise([await role('worker'), await role('ingest')]).start();
    expect(Object.keys(recorder.record.roles ?? {}).sort()).toEqual(['ingest', 'worker']);
    expect(events.filter(({ what }) => what === 'ready').map((event) => event.role)).toHaveLength(2);
  });

  it('starts a role again that was killed', async () => {
    await supervise([await role('worker')]).start();
    const first = pidOf('worker');
    process.kill(first, 'SIGKILL');
    await until(() => pidOf('worker') !== first);
    expect(events).toContainEqual({
      role: 'worker',
      what: 'ended',
      exit: { code: null, signal: 'SIGKILL' },
      againInMs: 500,
    });
  });

  it('gives up on a role that ends again and again before it was ready, with the end of its log', async () => {
    const failing = supervise([await role('worker', 'failing.js')]);
    await expect(failing.start()).rejects.toMatchObject({
      code: 'OMS_LOCAL_ROLE_FAILED',
      message: expect.stringContaining('the reason') as unknown,
    });
  });

  it('stops every role, and kills one that takes longer than its grace', async () => {
    const running = supervise([await role('worker'), await role('ingest', 'server.js', 'stubborn')], 300);
    await running.start();
    const processes = Object.values(recorder.record.roles ?? {});
    await running.stop();
    expect(await Promise.all(processes.map(isRunning))).toEqual([false, false]);
    expect(recorder.record.roles).toEqual({});
  });

  it('ends roles that a killed supervisor left behind before it starts its own', async () => {
    const spec = await role('worker');
    await supervise([spec]).start();
    const left = recorder.record.roles?.worker;
    if (!left) throw new Error('nothing is recorded');
    const first = supervisor;
    // The same record, as the next `oms up` would read it.
    await supervise([spec]).start();
    expect(await isRunning(left)).toBe(false);
    await first?.stop();
  });
});
