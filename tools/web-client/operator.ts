import type { Page, Response } from 'playwright-core';
import { until } from './api.ts';
import type { Listed } from './api.ts';
import type { Call } from './recorder.ts';
import { button, heading, see } from './shop.ts';
import { must } from './walk.ts';
import type { Step, Walk } from './walk.ts';

interface Stats {
  workerCount: number;
  backlog: number;
  completeRate?: number;
}

const STATS = ['/api/order/stats', '/api/shipment/stats', '/api/charge/stats'] as const;
/** Generous: it ends a walk that hangs, and is no measure of speed. */
const FINISHED_WITHIN_MS = 300_000;

interface Collected {
  /** Every answer the charts were drawn from, by path. */
  stats: Map<string, Stats[]>;
  end(): void;
}

function collectStats(page: Page): Collected {
  const stats = new Map<string, Stats[]>(STATS.map((path) => [path, []]));
  const keep = (response: Response): void => {
    const kept = stats.get(new URL(response.url()).pathname);
    // The body of an answer to a page that has been left is gone; what is missing is found by counting.
    if (kept)
      void response.json().then(
        (answer: Stats) => kept.push(answer),
        () => undefined,
      );
  };
  page.on('response', keep);
  return { stats, end: () => page.off('response', keep) };
}

/** How many points of each canvas have a colour of a line; the frame and its words are grey. */
const COLOURED = `[...document.querySelectorAll('canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let points = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 0 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60)
      points += 1;
  return points;
})`;

async function mustBeDrawn(page: Page): Promise<void> {
  const points = await page.evaluate<number[]>(COLOURED);
  must(points.length === 3 && points.every((count) => count > 100), 'lines on three charts', points);
}

function describeStats(collected: Collected['stats']): string {
  const told: string[] = [];
  for (const [path, stats] of collected) {
    must(stats.length >= 3, `three polls of ${path}`, stats.length);
    for (const { workerCount, backlog } of stats)
      must(workerCount >= 1 && backlog >= 0, `workers and a backlog from ${path}`, { workerCount, backlog });
    const rates = stats.map(({ completeRate }) => completeRate).filter((rate) => rate !== undefined);
    if (path === STATS[0]) must(Math.max(...rates) > 0, 'orders completed a second', rates);
    const last = stats.at(-1);
    told.push(`${path.split('/')[2]} ${last?.workerCount} workers, backlog ${last?.backlog}`);
    if (rates.length > 0) told.push(`up to ${Math.max(...rates).toFixed(2)} orders/s`);
  }
  return told.join(', ');
}

const placedBy = (calls: readonly Call[]): string[] =>
  calls
    .filter(({ method, path }) => method === 'POST' && path === '/orders')
    .map(({ body }) => (JSON.parse(body) as { id: string }).id);

/** The generator leaves behind what it had not delivered when it stopped. */
async function deliverRest(walk: Walk, ids: ReadonlySet<string>): Promise<void> {
  const { api } = walk;
  const next: Record<string, string> = { booked: 'dispatched', dispatched: 'delivered' };
  const isMine = ({ id }: Listed): boolean => ids.has(id.slice(0, id.lastIndexOf(':')));
  const tellNext = async ({ id, status }: Listed): Promise<unknown> => next[status] && api.tell(id, next[status]);
  const deliver = async (): Promise<Record<string, number>> => {
    await Promise.all((await api.pending()).filter(isMine).map(tellNext));
    return countByStatus(walk, ids);
  };
  const areDone = ({ completed }: Record<string, number>): boolean => completed === ids.size;
  await until('all orders of the load generator completed', deliver, areDone, FINISHED_WITHIN_MS);
}

async function countByStatus({ api }: Walk, ids: ReadonlySet<string>): Promise<Record<string, number>> {
  const byStatus = Object.groupBy(
    (await api.orders()).filter(({ id }) => ids.has(id)),
    ({ status }) => status,
  );
  return Object.fromEntries(Object.entries(byStatus).map(([status, orders = []]) => [status, orders.length]));
}

async function load(walk: Walk): Promise<string> {
  const { page, loadSeconds, loadRate } = walk;
  await page.goto('/role');
  await page.getByRole('link', { name: 'Operator', exact: true }).click();
  await see(heading(page, 'Operator'));
  await see(page.getByText('Stopped', { exact: true }));
  const collected = collectStats(page);
  await page.locator('input[name=price]').fill(String(loadRate));
  await button(page, 'Start').click();
  await see(page.getByText('Running', { exact: true }));
  must(await button(page, 'Start').isDisabled(), 'Start disabled', 'enabled');
  await page.waitForTimeout(loadSeconds * 1000);
  await mustBeDrawn(page);
  collected.end();
  await button(page, 'Stop').click();
  await see(page.getByText('Stopped', { exact: true }));
  const ids = new Set(placedBy(walk.calls()));
  must(ids.size >= loadSeconds * loadRate * 0.8, `about ${loadSeconds * loadRate} orders`, ids.size);
  const told = describeStats(collected.stats);
  const { completed: atStop = 0 } = await countByStatus(walk, ids);
  await deliverRest(walk, ids);
  return `${ids.size} orders, ${atStop} completed at the stop, all in the end; ${told}`;
}

export const OPERATOR_STEPS: readonly Step[] = [{ name: 'operator generates load and sees charts', run: load }];
