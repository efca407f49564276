import { describe, it, expect, beforeEach, afterEach } from '@jest/globals';
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startComponent, stopComponent } from '../../local/component.ts';
import { freePorts } from '../../local/ports.ts';
import { isRunning } from '../../local/processes.ts';
import { createRecorder } from '../../local/state-file.ts';
import type { ComponentRecord, Recorder } from '../../local/state-file.ts';
import type { Component } from '../../local/types.ts';

const fixture = (name: string): string => path.join(import.meta.dirname, 'fixtures', name);

let stateDir: string;
let recorder: Recorder;
let port: number;

beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'oms-test-'));
  port = (await freePorts(1))[0] ?? 0;
  const endpoints = { kafkaBrokers: '', schemaRegistryUrl: '', temporalAddress: '', databaseUrl: '' };
  recorder = createRecorder({ version: 1, stateDir, endpoints, components: {} });
});

afterEach(async () => {
  await stopComponent('kafka', 'SIGKILL', recorder);
  await rm(stateDir, { recursive: true, force: true });
});

/** A component that is a small HTTP server: its id is what it answers. */
const component = (id: string, onPort = port, script = 'server.js'): Component => ({
  name: 'kafka',
  ports: [{ port: onPort, setting: 'OMS_KAFKA_PORT' }],
  prepare: () => Promise.resolve({ file: process.execPath, args: [fixture(script), String(onPort), id] }),
  probe: async () => (await fetch(`http://127.0.0.1:${onPort}/`)).text(),
  stopSignal: 'SIGTERM',
});

const start = (what: Component): Promise<void> => startComponent(what, { stateDir, recorder, report: () => undefined });

function recorded(): ComponentRecord {
  const record = recorder.record.components.kafka;
  if (!record) throw new Error('nothing is recorded');
  return record;
}

describe('a component', () => {
  it('is started, answers, and is recorded with process, port and id', async () => {
    await start(component('one'));
    expect(recorded()).toMatchObject({ port, id: 'one' });
    expect(await isRunning(recorded())).toBe(true);
  });

  it('that still runs and matches its record is used on', async () => {
    await start(component('one'));
    const { pid } = recorded();
    await start(component('one'));
    expect(recorded().pid).toBe(pid);
  });

  it('whose id is another one than recorded is ended and started anew', async () => {
    await start(component('one'));
    const before = { ...recorded() };
    await recorder.update(({ components }) => {
      components.kafka = { ...before, id: 'of other data' };
    });
    await start(component('one'));
    expect(recorded()).toMatchObject({ id: 'one' });
    expect(recorded().pid).not.toBe(before.pid);
    expect(await isRunning(before)).toBe(false);
  });

  it('that is to listen elsewhere is ended first, since both would use the same files', async () => {
    await start(component('one'));
    const before = { ...recorded() };
    const [other = 0] = await freePorts(1);
    await start(component('one', other));
    expect(await isRunning(before)).toBe(false);
    expect(recorded()).toMatchObject({ port: other });
  });

  it('whose recorded pid now belongs to somebody else is started, and the other is left alone', async () => {
    await start(component('one'));
    const other = { ...recorded() };
    await recorder.update(({ components }) => {
      components.kafka = { ...other, started: 'long ago' };
    });
    const [free = 0] = await freePorts(1);
    await start(component('two', free));
    expect(await isRunning(other)).toBe(true);
    process.kill(other.pid, 'SIGKILL');
  });

  it('whose port is taken says so and names the setting', async () => {
    const squatter = createServer((_request, response) => response.end('one'));
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    try {
      await expect(start(component('one'))).rejects.toMatchObject({
        code: 'OMS_LOCAL_PORT_TAKEN',
        message: expect.stringMatching(new RegExp(`Port ${port} .* OMS_KAFKA_PORT`)) as unknown,
      });
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
  });

  it('that ends while it starts shows the end of its log', async () => {
    await expect(start(component('one', port, 'failing.js'))).rejects.toMatchObject({
      code: 'OMS_LOCAL_START_FAILED',
      message: expect.stringContaining('cannot go on') as unknown,
    });
  });

  it('is stopped and forgotten', async () => {
    await start(component('one'));
    const before = recorded();
    await stopComponent('kafka', 'SIGTERM', recorder);
    expect(await isRunning(before)).toBe(false);
    expect(recorder.record.components.kafka).toBeUndefined();
  });
});
