import type { DemoCounts, DemoResult } from '../../operations/demo/play-demo.ts';
import { money, table } from '../output.ts';

const listed = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, n]) => `${n} ${name}`)
    .join(', ') || 'none';

/** What is shown while it runs, always as many lines. */
export function progressLines(counts: DemoCounts, orders: number, seconds: number): string[] {
  const { started, waiting, shipped, delivered, invoices, events, deadLetters } = counts;
  const refused = Object.values(deadLetters).reduce((sum, n) => sum + n, 0);
  const time = `${seconds.toFixed(0)} s`.padStart(5);
  return [
    `${time}  ${orders} orders placed → ${started} started → ${shipped} shipped → ${delivered} delivered`,
    `       ${invoices} invoices, ${refused} dead letters, ${waiting} orders wait for their customer`,
    `       topics: ${listed(events)}`,
  ];
}

export function summaryText(result: DemoResult): string {
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
export function nextSteps(example: string | undefined): string {
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
