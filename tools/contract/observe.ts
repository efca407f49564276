/**
 * `node tools/contract/observe.ts --order URL [--shipment URL --billing URL --fraud URL] [--out FILE]`: sends the
 * scenario of requests.ts to an API and writes what it answered: status, headers, body. Values that differ from run to run
 * (times, money, ids) are replaced by `$time`, `$cents`, `<name>`, so that two APIs can be compared.
 */
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CONTRACT_REQUESTS } from './requests.ts';
import type { ContractRequest, Service } from './requests.ts';

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

const DEADLINE_MS = 60_000;
/** Connection and clock of the moment, not part of what was promised. */
const OF_NO_ACCOUNT = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of message.setEncoding('utf8')) text += part as string;
  return text;
}

/** As `fetch` would send it, but with the path as it stands: `fetch` tidies paths up. */
function send(base: string, row: ContractRequest): Promise<{ message: IncomingMessage; text: string }> {
  const contentType = row.contentType ?? 'text/plain;charset=UTF-8';
  const typed = row.body !== undefined && contentType !== '' ? { 'content-type': contentType } : {};
  const { hostname, port } = new URL(base);
  const headers = { ...typed, 'content-length': Buffer.byteLength(row.body ?? '') };
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path: row.path, method: row.method, headers }, (message) => {
      textOf(message).then((text) => resolve({ message, text }), reject);
    });
    call.on('error', reject).end(row.body);
  });
}

const TIME = /"\d{4}-\d\d-\d\dT[\d:.]+Z"/g;
/** Runs and workers a message of Temporal's names. */
const RUN = /runID: [\da-f-]+|identity: [^)]+(?=\))/g;
const CENTS = /"(subTotal|tax|shipping|total)":-?\d+/g;

function parsed(text: string, type: string): unknown {
  if (!type.startsWith('application/json')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function answerOf(message: IncomingMessage, text: string, anonymous: (text: string) => string): Answer {
  const named = Object.entries(message.headers).filter(([name]) => !OF_NO_ACCOUNT.has(name));
  const headers = Object.fromEntries(named.map(([name, value]) => [name, anonymous(String(value))]));
  // The length of a body with times and money in it is not the same twice.
  if (headers['content-length'] !== '0') delete headers['content-length'];
  const stable = anonymous(text)
    .replace(TIME, (time) => (time.startsWith('"0001') ? time : '"$time"'))
    .replace(RUN, (named) => `${named.split(':')[0]}: $id`)
    .replace(CENTS, '"$1":"$cents"');
  return { status: message.statusCode ?? 0, headers, body: parsed(stable, headers['content-type'] ?? '') };
}

async function observe(base: string, row: ContractRequest, anonymous: (text: string) => string): Promise<Answer> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const { message, text } = await send(base, row);
    const { without } = row;
    const until = [row.until ?? []].flat();
    const isThere = until.every((part) => text.includes(part));
    if (isThere && !(without && text.includes(without))) return answerOf(message, text, anonymous);
    if (performance.now() > deadline)
      throw new Error(`${row.what}: no ${until.join(' and ')}, or still ${without}, in ${text}`);
    await sleep(100);
  }
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { order: text, shipment: text, billing: text, fraud: text, out: text } });
  const { order } = values;
  if (order === undefined) throw new Error('--order URL is required: where the API listens');
  const bases: Record<Service, string> = { billing: order, shipment: order, fraud: order, ...values, order };
  const run = `C${Date.now()}`;
  const filled = (part: string): string => part.replace(/<(\w+)>/g, `${run}-$1`);
  const anonymous = (part: string): string => part.replaceAll(new RegExp(`${run}-(\\w+)`, 'g'), '<$1>');
  const observed = [];
  for (const row of CONTRACT_REQUESTS) {
    const { service, path, body, until } = row;
    const asked = {
      ...row,
      path: filled(path),
      body: body && filled(body),
      until: until && [until].flat().map(filled),
    };
    const answer = await observe(bases[service], asked, anonymous);
    process.stderr.write(`${service} ${row.method} ${path} (${row.what}): ${answer.status}\n`);
    observed.push({ request: row, answer });
  }
  const json = `${JSON.stringify(observed, null, 2)}\n`;
  if (values.out === undefined) process.stdout.write(json);
  else await writeFile(values.out, json);
}

await main();
