import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ComponentName, Endpoints, ProcessIdentity } from './types.ts';

/** A component as recorded: the process, its main port, and the id of the data it keeps. */
export interface ComponentRecord extends ProcessIdentity {
  port: number;
  id: string;
}

/** What `stack.json` tells about the stack of a state directory. */
export interface StackRecord {
  version: 1;
  /** Absolute; a copied directory is recognised by it and shares no processes with the one it came from. */
  stateDir: string;
  endpoints: Endpoints;
  components: Partial<Record<ComponentName, ComponentRecord>>;
  /** The `oms up` that looks after it, if one does. */
  supervisor?: ProcessIdentity;
  roles?: Record<string, ProcessIdentity>;
}

const fileOf = (stateDir: string): string => path.join(stateDir, 'stack.json');

/** The record of a state directory; undefined when there is none, it is unreadable, or it is of another directory. */
export async function readStack(stateDir: string): Promise<StackRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(fileOf(stateDir), 'utf8')) as StackRecord;
    return record.version === 1 && record.stateDir === path.resolve(stateDir) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the record in one step: a reader sees the old one or the new one. */
export async function writeStack(record: StackRecord): Promise<void> {
  await mkdir(record.stateDir, { recursive: true });
  const file = fileOf(record.stateDir);
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`);
  await rename(draft, file);
}

/** Keeps the record in memory and on disk; changes are written one after the other. */
export interface Recorder {
  readonly record: StackRecord;
  update(change: (record: StackRecord) => void): Promise<void>;
}

export function createRecorder(record: StackRecord): Recorder {
  let written = Promise.resolve();
  const update = (change: (record: StackRecord) => void): Promise<void> => {
    change(record);
    const write = (): Promise<void> => writeStack(record);
    // A write that failed was reported to its own caller; the next one starts anew.
    written = written.then(write, write);
    return written;
  };
  return { record, update };
}
