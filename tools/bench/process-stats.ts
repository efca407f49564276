import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

interface Stat {
  parent: number;
  ticks: number;
}

function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command stands in parentheses and may hold blanks: count fields behind the last one (proc_pid_stat(5), from 3).
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const field = (n: number): number => fields[n - 3] ?? 0;
    return { parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) };
  } catch {
    return undefined;
  }
}

/** CPU seconds a process and all its descendants have used so far; 0 where /proc does not tell. */
export function cpuSeconds(root: number): number {
  const all = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const known = /^\d+$/.test(name) ? stat(Number(name)) : undefined;
    if (known) all.set(Number(name), known);
  }
  const belongs = (pid: number): boolean => pid === root || (all.has(pid) && belongs(all.get(pid)?.parent ?? 0));
  return (
    [...all].filter(([pid]) => belongs(pid)).reduce((ticks, [, known]) => ticks + known.ticks, 0) / TICKS_PER_SECOND
  );
}

/** The most memory a process ever held, in MB. */
export function peakMemoryMb(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return line ? Number(line[1]) / 1_024 : Number.NaN;
}
