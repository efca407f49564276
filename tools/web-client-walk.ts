/**
 * `node tools/web-client-walk.ts --client DIR --api URL`: walks the reference's web client, built in DIR, through
 * every page and button in headless Chromium, against the API at URL; docs/web-client.md tells the rest. It resets
 * spend limits and delivers what is pending, so never point it at a system in use.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { createApi } from './web-client/api.ts';
import { startWebClient } from './web-client/client.ts';
import { COURIER_STEPS } from './web-client/courier.ts';
import { CUSTOMER_STEPS } from './web-client/customer.ts';
import { MANAGER_STEPS } from './web-client/manager.ts';
import { OPERATOR_STEPS } from './web-client/operator.ts';
import { SERVICES, startRecorder } from './web-client/recorder.ts';
import type { BaseUrls, Recorder } from './web-client/recorder.ts';
import { callsTable, faultLines, isFine, stepsTable, verdict } from './web-client/report.ts';
import type { Outcome } from './web-client/report.ts';
import { FIRST_STEPS, LAST_STEPS } from './web-client/visitor.ts';
import { plainText, watch } from './web-client/walk.ts';
import type { Step, Walk, Watch } from './web-client/walk.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    client: text,
    api: text,
    order: text,
    shipment: text,
    billing: text,
    fraud: text,
    chromium: { ...text, default: '/usr/bin/chromium' },
    screenshots: text,
    'load-seconds': { ...text, default: '60' },
    'load-rate': { ...text, default: '2' },
    only: text,
    reference: { type: 'boolean', default: false },
  },
});

const STEPS = [...FIRST_STEPS, ...CUSTOMER_STEPS, ...COURIER_STEPS, ...MANAGER_STEPS, ...OPERATOR_STEPS, ...LAST_STEPS];

/** @throws Error when neither --api nor the service's own option tells its address */
function baseUrls(): BaseUrls {
  const of = (service: keyof BaseUrls): string => {
    const url = values[service] ?? values.api;
    if (url === undefined) throw new Error(`--api URL (or --${service} URL) is required: where the API listens`);
    return url.replace(/\/$/, '');
  };
  return Object.fromEntries(SERVICES.map((service) => [service, of(service)])) as BaseUrls;
}

/** Chromium refuses its sandbox to root. */
const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: values.chromium,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });

async function screenshot({ page }: Walk, number: number, { name }: Step): Promise<void> {
  if (values.screenshots === undefined) return;
  const file = `${String(number).padStart(2, '0')}-${name.replaceAll(/[^a-z]+/g, '-')}.png`;
  await page.screenshot({ path: path.join(values.screenshots, file), fullPage: true });
}

async function take(step: Step, number: number, watched: Watch, walk: Walk): Promise<Outcome> {
  const began = performance.now();
  watched.begin();
  const failed: string[] = [];
  const note = await step.run(walk).catch((error: unknown) => {
    failed.push(plainText(error instanceof Error ? error.message : String(error)));
    return '';
  });
  await screenshot(walk, number, step);
  await watched.closeTabs();
  const seconds = (performance.now() - began) / 1000;
  const excused = values.reference && step.knownDefect !== undefined;
  const outcome = { step, seconds, faults: [...failed, ...watched.faults()], note, excused };
  process.stderr.write(`${verdict(outcome)}: ${step.name}\n`);
  return outcome;
}

/** @throws Error for a load that is too short to be seen: the charts ask every 10 s */
function loadWanted(): Pick<Walk, 'loadSeconds' | 'loadRate'> {
  const [loadSeconds, loadRate] = [Number(values['load-seconds']), Number(values['load-rate'])];
  if (!(loadSeconds >= 25)) throw new Error(`--load-seconds ${values['load-seconds']}: 25 or more are needed`);
  if (!(loadRate > 0)) throw new Error(`--load-rate ${values['load-rate']}: orders per second, above 0`);
  return { loadSeconds, loadRate };
}

type Closers = (() => Promise<void>)[];

async function walkThrough(folder: string, closers: Closers): Promise<[Outcome[], Recorder]> {
  const bases = baseUrls();
  const load = loadWanted();
  const api = createApi(bases);
  const recorder = await startRecorder(bases);
  closers.push(() => recorder.close());
  const client = await startWebClient(folder, recorder.urls);
  closers.push(() => client.stop());
  await api.reset();
  const browser = await launch();
  closers.push(() => browser.close());
  const context = await browser.newContext({ baseURL: client.url, viewport: { width: 1280, height: 900 } });
  const watched = await watch(context, client, recorder, api);
  const outcomes: Outcome[] = [];
  for (const [i, step] of STEPS.filter(({ name }) => name.includes(values.only ?? '')).entries())
    outcomes.push(await take(step, i + 1, watched, { ...watched.walk, ...load }));
  return [outcomes, recorder];
}

async function main(): Promise<boolean> {
  if (values.client === undefined) throw new Error('--client DIR is required: where the built web client is');
  if (values.screenshots !== undefined) await mkdir(values.screenshots, { recursive: true });
  const closers: Closers = [];
  try {
    const [outcomes, { calls }] = await walkThrough(values.client, closers);
    process.stdout.write(`${[stepsTable(outcomes), callsTable(calls), ...faultLines(outcomes)].join('\n\n')}\n`);
    return outcomes.length > 0 && outcomes.every(isFine);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const walked = await main().catch((error: unknown) => {
  process.stderr.write(`${plainText(error instanceof Error ? error.message : String(error))}\n`);
  return false;
});
process.exitCode = walked ? 0 : 1;
