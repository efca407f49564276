import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

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

const LOOK_EVERY_MS = 1_000;
/** pino's number for `error`. */
const ERROR_LEVEL = 50;
/** The same message of the same role is shown once in this time. */
const QUIET_MS = 30_000;

interface LoggedError {
  role: string;
  message: string;
}

interface LogLine {
  level?: number;
  msg?: string;
  err?: { message?: string };
}

/** The message of a log line that tells of an error; undefined for all others, and for what is no log line. */
export function errorOf(line: string): string | undefined {
  try {
    const { level = 0, msg = '', err } = JSON.parse(line) as LogLine;
    if (level < ERROR_LEVEL) return undefined;
    return err?.message ? `${msg}: ${err.message}` : msg;
  } catch {
    return undefined;
  }
}

/** Hands on the errors that roles log from now on. The returned function ends it. */
export function watchLogs(
  stateDir: string,
  roles: readonly string[],
  onError: (error: LoggedError) => void,
): () => Promise<void> {
  const stopping = new AbortController();
  const watching = Promise.all(roles.map((role) => follow(stateDir, role, onError, stopping.signal)));
  return async () => {
    stopping.abort();
    await watching;
  };
}

async function follow(
  stateDir: string,
  role: string,
  onError: (error: LoggedError) => void,
  stopping: AbortSignal,
): Promise<void> {
  const shown = new Map<string, number>();
  let position = await readFrom(stateDir, role, Infinity).then((read) => read.end);
  while (await sleep(LOOK_EVERY_MS, true, { signal: stopping }).catch(() => false)) {
    const { lines, end } = await readFrom(stateDir, role, position);
    position = end;
    for (const message of lines.map(errorOf)) {
      if (!message || performance.now() - (shown.get(message) ?? -Infinity) < QUIET_MS) continue;
      shown.set(message, performance.now());
      onError({ role, message });
    }
  }
}

const LARGEST_READ = 1024 * 1024;

/** The whole lines behind a position; from the start if the file has become shorter (it was put aside). */
async function readFrom(stateDir: string, role: string, position: number): Promise<{ lines: string[]; end: number }> {
  const file = await open(logFile(stateDir, role)).catch(() => undefined);
  if (!file) return { lines: [], end: 0 };
  try {
    const { size } = await file.stat();
    if (position === Infinity) return { lines: [], end: size };
    const start = position > size ? 0 : position;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size - start, LARGEST_READ)), 0, null, start);
    const end = bytesRead === LARGEST_READ ? bytesRead : buffer.lastIndexOf(0x0a, bytesRead - 1) + 1;
    return { lines: buffer.toString('utf8', 0, end).split('\n'), end: start + end };
  } finally {
    await file.close();
  }
}
