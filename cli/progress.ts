import { SingleBar } from 'cli-progress';

/** Shows how far a command is: a bar on a terminal, else a line now and then, both on stderr. */
export interface Progress {
  to(done: number, note?: string): void;
  end(): void;
}

const LINE_EVERY_MS = 5_000;

/** `quiet` shows nothing. */
export function createProgress(label: string, total: number, quiet: boolean): Progress {
  if (quiet) return { to: () => undefined, end: () => undefined };
  return process.stderr.isTTY ? barProgress(label, total) : lineProgress(label, total);
}

function barProgress(label: string, total: number): Progress {
  const bar = new SingleBar({
    format: `${label} {bar} {value}/{total}  {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    stream: process.stderr,
  });
  bar.start(total, 0, { note: '' });
  return { to: (done, note = '') => bar.update(done, { note }), end: () => bar.stop() };
}

function lineProgress(label: string, total: number): Progress {
  let told = performance.now();
  const to = (done: number, note = ''): void => {
    if (performance.now() - told < LINE_EVERY_MS) return;
    told = performance.now();
    process.stderr.write(`${label} ${done}/${total} ${note}\n`);
  };
  return { to, end: () => undefined };
}
