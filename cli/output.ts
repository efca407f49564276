import type { StoredDecision } from '../database/decisions.ts';

/** What a command prints goes to stdout: JSON for programs, text for people. Progress and faults go to stderr. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined));
}

/** JSON if asked for, else the text. */
export function printResult(options: { json?: boolean }, value: unknown, text: () => string): void {
  if (options.json) printJson(value);
  else print(text());
}

/** Progress for people: shown only on a terminal or as plain lines, never in the way of JSON. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

type Cell = string | number | boolean | null | undefined;

/** Columns padded to their widest cell, two spaces apart. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => String(cell ?? '')))];
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return cells.map(line).join('\n');
}

/** The examples of a command's help. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** `12345` minor units as `123.45`. */
export const money = (amount: number): string =>
  (amount / 100).toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** A decision as it is shown: without the bytes that were sent. */
export function shownDecision({ action, who, why, at, doneAt, outcome }: StoredDecision) {
  return { action, who, why, at, doneAt, outcome };
}
