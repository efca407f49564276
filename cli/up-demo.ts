import { playDemo } from '../operations/demo/play-demo.ts';
import type { DemoCounts, DemoResult } from '../operations/demo/play-demo.ts';
import type { Config } from '../platform/config/settings.ts';
import { money, note, print, printJson, table } from './output.ts';

export interface DemoView {
  signal?: AbortSignal;
  /** Print the result as JSON. */
  json?: boolean;
}

/** Plays the demo and shows how its orders come on; then a summary, unless it was stopped. */
export async function runDemo(config: Config, { signal, json = false }: DemoView = {}): Promise<DemoResult> {
  const result = await playAndShow(config, json, signal);
  if (signal?.aborted) return result;
  if (json) printJson(result);
  else print(`\n${summaryText(result)}\n\n${nextSteps(result.example)}\n`);
  return result;
}

async function playAndShow(config: Config, quiet: boolean, signal: AbortSignal | undefined): Promise<DemoResult> {
  const live = createLiveLines(quiet);
  try {
    return await playDemo(config, {
      signal,
      onProgress: (counts, orders, seconds) => live.show(progressLines(counts, orders, seconds)),
      onStalled: (left) => note(`\n${left} orders have not come to their end; they go on.`),
    });
  } finally {
    live.end();
  }
}

/** Lines that are written over on a terminal, and repeated as one now and then elsewhere. */
interface LiveLines {
  show(lines: readonly string[]): void;
  end(): void;
}

const REPEAT_MS = 5_000;

/** On stderr; `quiet` shows nothing. */
function createLiveLines(quiet: boolean): LiveLines {
  if (quiet) return { show: () => undefined, end: () => undefined };
  return process.stderr.isTTY ? terminalLines() : plainLine();
}

function terminalLines(): LiveLines {
  let drawn = 0;
  const show = (lines: readonly string[]): void => {
    const width = (process.stderr.columns || 80) - 1;
    const back = drawn > 0 ? `\x1b[${drawn}A` : '';
    process.stderr.write(back + lines.map((line) => `\r\x1b[K${line.slice(0, width)}\n`).join(''));
    drawn = lines.length;
  };
  return { show, end: () => undefined };
}

function plainLine(): LiveLines {
  let [toldAt, last] = [-Infinity, ''];
  const tell = (text: string): void => {
    toldAt = performance.now();
    last = '';
    process.stderr.write(`${text}\n`);
  };
  return {
    show: (lines) => {
      last = lines.map((line) => line.trim()).join(' · ');
      if (performance.now() - toldAt >= REPEAT_MS) tell(last);
    },
    end: () => {
      if (last !== '') tell(last);
    },
  };
}

const listed = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, n]) => `${n} ${name}`)
    .join(', ') || 'none';

/** What is shown while it runs, always as many lines. */
function progressLines(counts: DemoCounts, orders: number, seconds: number): string[] {
  const { started, waiting, shipped, delivered, invoices, events, deadLetters } = counts;
  const refused = Object.values(deadLetters).reduce((sum, n) => sum + n, 0);
  const time = `${seconds.toFixed(0)} s`.padStart(5);
  return [
    `${time}  ${orders} orders placed → ${started} started → ${shipped} shipped → ${delivered} delivered`,
    `       ${invoices} invoices, ${refused} dead letters, ${waiting} orders wait for their customer`,
    `       topics: ${listed(events)}`,
  ];
}

function summaryText(result: DemoResult): string {
  const { produced, seconds, closed, orders } = result;
  const rate = seconds > 0 ? (closed / seconds).toFixed(1) : '0';
  const took = produced > 0 ? `${seconds.toFixed(1)} s, ${rate} orders/s from event to end` : 'played before';
  const invoiced = Object.entries(result.invoiced).map(([currency, total]) => `${money(total)} ${currency}`);
  return table(
    [`${result.day}: real orders of a retailer`, ''],
    [
      ['Orders on the topic', orders],
      ['Came to their end', listed(result.statuses)],
      ['Shipments', `${result.shipped} handed over, ${result.delivered} delivered`],
      ['Invoices', `${result.invoices} over ${invoiced.join(' and ') || 'nothing'}`],
      ['Events published', listed(result.events)],
      ['Dead letters', listed(result.deadLetters)],
      ['Time', took],
    ],
  );
}

/** Commands to go on with. */
function nextSteps(example: string | undefined): string {
  const order = example ?? 'ID';
  const steps: [command: string, about: string][] = [
    [`./oms orders show ${order}`, 'an order of several shipments, from its event to its delivery'],
    ['./oms topics tail deliveries --from-beginning --no-follow', 'what downstream systems read'],
    ['./oms dlq ls', 'what was refused, and why'],
    ['./oms orders import examples/online-retail/online-retail-2010-12.csv.gz', 'the whole month'],
  ];
  const width = Math.max(...steps.map(([command]) => command.length));
  return ['Try, in another terminal:', ...steps.map(([command, about]) => `  ${command.padEnd(width)}  ${about}`)].join(
    '\n',
  );
}
