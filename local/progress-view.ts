import type { Progress } from './types.ts';

const REDRAW_MS = 120;
/** Without a terminal a long step is mentioned again this often. */
const REMIND_MS = 15_000;
const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

interface Line extends Progress {
  since: number;
  toldAt: number;
}

/** Where progress is drawn: stderr, or a buffer in tests. */
export interface View {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface ProgressView {
  update(progress: Progress): void;
  /** A line of its own, above what is still going on. */
  say(text: string): void;
  /** Draws for the last time; what follows is printed below. */
  finish(): void;
}

/** Shows what is going on, how far, and for how long: live lines on a terminal, plain lines elsewhere. */
export function createProgressView(view: View, now: () => number = () => performance.now()): ProgressView {
  const lines = new Map<string, Line>();
  return view.isTTY ? liveView(view, lines, now) : plainView(view, lines, now);
}

/** Keeps the line of a part: its time runs from its first progress on. */
function keep(lines: Map<string, Line>, progress: Progress, at: number): Line {
  const before = lines.get(progress.part);
  const line = { ...progress, since: before?.since ?? at, toldAt: before?.toldAt ?? -Infinity };
  lines.set(progress.part, line);
  return line;
}

const seconds = (ms: number): string => (ms < 60_000 ? `${(ms / 1_000).toFixed(0)} s` : minutes(ms));
const minutes = (ms: number): string => `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;

function plainView(view: View, lines: Map<string, Line>, now: () => number): ProgressView {
  let told = new Set<string>();
  const update = (progress: Progress): void => {
    const at = now();
    const line = keep(lines, progress, at);
    // The words before the count name the step; the count itself changes all the time.
    const step = `${line.part} ${line.state} ${line.detail.split(':')[0]}`;
    if (told.has(step) && at - line.toldAt < REMIND_MS) return;
    told.add(step);
    line.toldAt = at;
    view.write(`${line.part}: ${line.detail} (${seconds(at - line.since)})\n`);
    if (line.state !== 'running') lines.delete(line.part);
  };
  return { update, say: (text) => void view.write(`${text}\n`), finish: () => void (told = new Set()) };
}

function liveView(view: View, lines: Map<string, Line>, now: () => number): ProgressView {
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const rows = [...lines.values()].map((line) => liveLine(line, now()).slice(0, (view.columns || 100) - 1));
    // Back to the first line, and each is written over.
    view.write((drawn > 0 ? `\u001b[${drawn}A` : '') + rows.map((row) => `\u001b[2K${row}\n`).join(''));
    drawn = rows.length;
  };
  const finish = (): void => {
    clearInterval(timer);
    timer = undefined;
    if (lines.size > 0) draw();
    drawn = 0;
    lines.clear();
  };
  const say = (text: string): void => {
    view.write(`${drawn > 0 ? `\u001b[${drawn}A\u001b[J` : ''}${text}\n`);
    drawn = 0;
    if (timer) draw();
  };
  const update = (progress: Progress): void => {
    const line = keep(lines, progress, now());
    // A finished part's time stands still.
    if (line.state !== 'running') line.detail += ` (${seconds(now() - line.since)})`;
    timer ??= setInterval(draw, REDRAW_MS);
  };
  return { update, say, finish };
}

function liveLine(line: Line, at: number): string {
  const name = line.part.padEnd(10);
  if (line.state === 'done') return `✔ ${name}${line.detail}`;
  if (line.state === 'failed') return `✖ ${name}${line.detail}`;
  const frame = SPINNER[Math.floor(at / REDRAW_MS) % SPINNER.length];
  return `${frame} ${name}${line.detail} (${seconds(at - line.since)})`;
}
