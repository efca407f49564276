import { stripVTControlCharacters } from 'node:util';
import type { BrowserContext, ConsoleMessage, Page, Response } from 'playwright-core';
import type { Api } from './api.ts';
import type { WebClient } from './client.ts';
import type { Call, Recorder } from './recorder.ts';

/** What a step of the walk has at hand. */
export interface Walk {
  /** The visitor's first tab. */
  page: Page;
  /** Another tab of the same visitor, watched like the first. */
  tab(): Promise<Page>;
  api: Api;
  /** The API's answers to the client since the step began. */
  calls(): readonly Call[];
  loadSeconds: number;
  loadRate: number;
}

export interface Step {
  name: string;
  /** The reference is known to fail here, and why. */
  knownDefect?: string;
  /** @returns what to say of it in the table; throws what was not as it should be */
  run(walk: Walk): Promise<string>;
}

export interface Watch {
  walk: Omit<Walk, 'loadSeconds' | 'loadRate'>;
  /** Begins a step: what went wrong before is forgotten. */
  begin(): void;
  /** What went wrong since: errors of pages and consoles, answers of 500 and above, errors the client's server logged. */
  faults(): string[];
  /** Leaves only the first tab open. */
  closeTabs(): Promise<void>;
}

/** Leaving a page ends its requests, and says so on the console. */
const isOfLeaving = (text: string): boolean => text.includes('ERR_ABORTED') || text.includes('Failed to fetch');

function watchPage(page: Page, faults: string[]): void {
  page.on('pageerror', (error) => faults.push(`page error on ${page.url()}: ${error.message}`));
  page.on('console', (message: ConsoleMessage) => {
    if (message.type() !== 'error' || isOfLeaving(message.text())) return;
    faults.push(`console error on ${page.url()}: ${message.text()}`);
  });
  page.on('response', (response: Response) => {
    if (response.status() >= 500) faults.push(`page got ${response.status()} from ${response.url()}`);
  });
}

/** On one line, without the colours of terminals. */
export const plainText = (text: string): string => stripVTControlCharacters(text).replaceAll(/\s+/g, ' ').trim();

/** Its log's lines that say what went wrong, not where. */
const isOfStack = (line: string): boolean => line === '' || line.startsWith('at ');

const isFault = ({ status }: Call): boolean => status === 0 || status >= 500;
const told = ({ method, path, status }: Call): string => `API answered ${status || 'nothing'} to ${method} ${path}`;

/** Watches all a visitor's tabs, the client's server and its calls to the API. */
export async function watch(context: BrowserContext, client: WebClient, recorder: Recorder, api: Api): Promise<Watch> {
  const seen: string[] = [];
  context.on('page', (page) => watchPage(page, seen));
  let [callsBefore, complaintsBefore] = [0, 0];
  const calls = (): readonly Call[] => recorder.calls.slice(callsBefore);
  const begin = (): void => {
    seen.length = 0;
    [callsBefore, complaintsBefore] = [recorder.calls.length, client.complaints.length];
  };
  const logged = (): string[] => {
    const lines = client.complaints.slice(complaintsBefore).map(plainText);
    return lines.filter((line) => !isOfStack(line)).map((line) => `client's log: ${line}`);
  };
  const page = await context.newPage();
  return {
    walk: { page, tab: () => context.newPage(), api, calls },
    begin,
    closeTabs: async () => {
      for (const tab of context.pages()) if (tab !== page) await tab.close();
    },
    faults: () => [...new Set([...seen, ...calls().filter(isFault).map(told), ...logged()])],
  };
}

/** @throws Error saying what was expected, unless so */
export function must(holds: boolean, expected: string, got: unknown): asserts holds {
  if (!holds) throw new Error(`expected ${expected}, got ${JSON.stringify(got)}`);
}

/** The calls of one route were made and all answered 2xx. */
export function mustBeAccepted(calls: readonly Call[], method: string, path: RegExp): void {
  const made = calls.filter((call) => call.method === method && path.test(call.path));
  must(made.length > 0, `the client to ${method} ${path.source}`, 'no such call');
  const refused = made.filter(({ status }) => status < 200 || status > 299);
  must(
    refused.length === 0,
    `2xx to ${method} ${path.source}`,
    refused.map(({ path, status }) => `${status} ${path}`),
  );
}
