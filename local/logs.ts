import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';

const ROTATE_AT_BYTES = 20 * 1024 * 1024;
const TAIL_LINES = 15;

/** The log file of a component or role. */
export const logFile = (stateDir: string, name: string): string => path.join(stateDir, 'logs', `${name}.log`);

/** Opens a log for appending; one that has grown large is put aside as `.1`, in place of the one before it. */
export async function openLog(stateDir: string, name: string): Promise<FileHandle> {
  const file = logFile(stateDir, name);
  await mkdir(path.dirname(file), { recursive: true });
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > ROTATE_AT_BYTES) await rename(file, `${file}.1`);
  return open(file, 'a');
}

/** The last lines of a log, indented for showing below an error. */
export async function logTail(stateDir: string, name: string): Promise<string> {
  const text = await readFile(logFile(stateDir, name), 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-TAIL_LINES);
  return lines.map((line) => `  ${line}`).join('\n');
}
