/** One line of the bench's table. */
export interface Row {
  what: string;
  measured: number;
  unit: string;
  /** What it is held against: measured in the same run where it can be, else the target. Not met by what only stands beside it. */
  against?: { what: string; value: number; better: 'higher' | 'lower'; isTarget?: boolean };
}

const number = (value: number): string =>
  value >= 1_000 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** How far the measure is on the right side of what it is held against: 1 or more is good. */
function ratio({ measured, against }: Row): number | undefined {
  if (!against) return undefined;
  return against.better === 'higher' ? measured / against.value : against.value / measured;
}

function cells(row: Row): string[] {
  const held = row.against ? `${row.against.what} ${number(row.against.value)}` : '';
  const share = ratio(row);
  const verdict = share === undefined || row.against?.isTarget === false ? '' : share >= 1 ? 'yes' : 'NO';
  return [row.what, `${number(row.measured)} ${row.unit}`, held, share === undefined ? '' : share.toFixed(2), verdict];
}

/** The rows as a Markdown table with aligned columns. */
export function table(rows: readonly Row[]): string {
  const lines = [['what', 'measured', 'held against', 'ratio', 'met'], ...rows.map(cells)];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const render = (line: readonly string[]) => `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head, ...body] = lines;
  return [render(head ?? []), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(render)].join(
    '\n',
  );
}
