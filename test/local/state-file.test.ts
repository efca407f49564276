import { describe, it, expect, beforeEach, afterEach } from '@jest/globals';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRecorder, readStack, writeStack } from '../../local/state-file.ts';
import type { StackRecord } from '../../local/state-file.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'oms-test-'));
});

afterEach(() => rm(directory, { recursive: true }));

const record = (): StackRecord => ({
  version: 1,
  stateDir: directory,
  endpoints: {
    kafkaBrokers: '127.0.0.1:1',
    schemaRegistryUrl: 'http://127.0.0.1:2',
    temporalAddress: '127.0.0.1:3',
    databaseUrl: 'postgres://127.0.0.1:4/oms',
  },
  components: { kafka: { pid: 1, started: 'once', port: 1, id: 'cluster' } },
});

describe('stack.json', () => {
  it('is read as it was written', async () => {
    await writeStack(record());
    expect(await readStack(directory)).toEqual(record());
  });

  it('is nothing where there is none', async () => {
    expect(await readStack(path.join(directory, 'nowhere'))).toBeUndefined();
  });

  it('is nothing when it is no record', async () => {
    await writeFile(path.join(directory, 'stack.json'), '{ "version": 1, ');
    expect(await readStack(directory)).toBeUndefined();
  });

  it('is nothing when its directory is a copy: the processes are those of the original', async () => {
    await writeStack(record());
    const copy = path.join(directory, 'copy');
    await cp(path.join(directory, 'stack.json'), path.join(copy, 'stack.json'));
    expect(await readStack(copy)).toBeUndefined();
  });

  it('keeps every one of many changes made at once', async () => {
    const recorder = createRecorder(record());
    const names = Array.from({ length: 20 }, (_, i) => `role-${i}`);
    await Promise.all(
      names.map((name, pid) =>
        recorder.update((state) => {
          state.roles = { ...state.roles, [name]: { pid, started: 'now' } };
        }),
      ),
    );
    expect(Object.keys((await readStack(directory))?.roles ?? {})).toEqual(names);
  });
});
