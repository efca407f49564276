import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ContractRequest } from '../../tools/contract/requests.ts';
import { ROLES, createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';

/** A request of the scenario and what was answered. */
interface Row {
  request: ContractRequest;
  answer: { status: number; headers: Record<string, string>; body: unknown };
}

const ROOT = path.join(import.meta.dirname, '..', '..');
const RECORDING = path.join(ROOT, 'test', 'api', 'reference-contract.json');
const OBSERVE = path.join(ROOT, 'tools', 'contract', 'observe.ts');

let deployment: Deployment;
let folder: string;
let reference: Row[];
let ours: Row[];
beforeAll(async () => {
  deployment = await createDeployment({
    OMS_CUSTOMER_ACTION_TIMEOUT: '20 s',
    ...{ OMS_ALLOCATION: 'reference', OMS_PRICE_FALLBACK: 'reference', OMS_SIM_CARRIER_NEWS: 'none' },
  });
  await Promise.all([...ROLES, 'api' as const].map((role) => deployment.start(role)));
  folder = await mkdtemp(path.join(tmpdir(), 'oms-contract-'));
  const out = path.join(folder, 'ours.json');
  await promisify(execFile)(process.execPath, [
    OBSERVE,
    '--order',
    `http://127.0.0.1:${deployment.config.OMS_API_PORT}`,
    '--out',
    out,
  ]);
  [reference, ours] = (await Promise.all([RECORDING, out].map(read))) as [Row[], Row[]];
  // The scenario alone waits for half a minute of time-outs.
}, 300_000);
afterAll(async () => {
  await deployment.drop();
  await rm(folder, { recursive: true });
});

const read = async (file: string): Promise<Row[]> => JSON.parse(await readFile(file, 'utf8')) as Row[];
const nameOf = ({ method, path: at, what }: ContractRequest): string => `${method} ${at}: ${what}`;

/** Where we answer otherwise, and how; docs/reference-api.md has the reasons. */
const DIFFERENCES: Record<string, [status: number, body: unknown]> = {
  'POST /orders: bytes after the JSON value': [400, /must be one JSON object/],
  'POST /orders: another order of the same id': [409, /there is another order of this id/],
  'POST /orders: null': [400, /^id is ""/],
  'POST /orders: an empty object': [400, /^id is ""/],
  'POST /orders: no items': [400, /^items is 0: must be/],
  'POST /orders: no customer': [400, /^customerId is ""/],
  'GET /orders/<itemless>: an order that was refused': [404, /^Order not found/],
  'GET /orders/stats: stats': [200, { workerCount: 1, backlog: expect.any(Number), completeRate: 0 }],
  'POST /orders/<amended>/action: amend, too late': [409, /no customer action is asked for/],
  'GET /orders/<cancelled>: a cancelled order': [
    200,
    expect.objectContaining({
      fulfillments: [1, 2].map((n) => expect.objectContaining({ id: `<cancelled>:${n}`, status: 'cancelled' })),
    }),
  ],
  'POST /orders/<cancelled>/action: cancel, once more': [409, /nothing can be asked of it any more/],
  'POST /orders/<simple>/action: cancel when nothing is to be decided': [409, /no customer action is asked for/],
  'POST /orders/<unheard>/action: an unknown action': [400, /^action is "dance"/],
  'POST /orders/<form>/action: an action without a name': [400, /^action is ""/],
  'POST /orders/<late>/action: an action after the time-out': [409, /nothing can be asked of it any more/],
  'GET //orders: two slashes': [404, /^404 page not found/],
  'GET /shipments/stats: stats': [200, { workerCount: 1, backlog: expect.any(Number) }],
  'POST /shipments/<form>:1/status: an unknown status': [400, /^status is "lost at sea"/],
  'POST /shipments/<extra>:1/status: a status without a name': [400, /^status is ""/],
  'POST /shipments/<simple>:1/status: delivered, once more': [200, ''],
  'POST /charge: a charge of nothing': [400, /^items is 0: must be [^{]*$/],
  'GET /charge/stats: stats': [200, { workerCount: 1, backlog: expect.any(Number) }],
  'POST /limit: a limit in fractions of a cent': [200, ''],
  'POST /limit: a limit beyond 32 bits': [200, ''],
  'POST /orders/x/insert: insert': [403, /^Forbidden: /],
  'POST /orders/x/status: status': [403, /^Forbidden: /],
  'POST /shipments/x: upsert': [403, /^Forbidden: /],
};

/** Lists are compared whatever their order, without the one order that is refused here. */
const LISTS = ['GET /orders', 'GET /orders?status=completed', 'GET /shipments', 'GET /shipments/pending'];

const byId = (body: unknown): { id: string }[] =>
  (body as { id: string }[]).filter(({ id }) => !id.startsWith('<trailing>')).sort((a, b) => (a.id < b.id ? -1 : 1));

/** What every answer of ours has beside the reference's. */
function withoutOurs({ headers, ...answer }: Row['answer']): Row['answer'] {
  const { 'x-request-id': _id, 'oms-error-code': _code, ...rest } = headers;
  return { ...answer, headers: rest };
}

function expectAlike(name: string, theirs: Row['answer'], answer: Row['answer']): void {
  const different = DIFFERENCES[name];
  if (different) {
    const [status, body] = different;
    const words: unknown = body instanceof RegExp ? expect.stringMatching(body) : body;
    return expect({ name, status: answer.status, body: answer.body }).toEqual({ name, status, body: words });
  }
  // The decoder's own words: ours name field, value and rule.
  if (theirs.status === 400)
    return expect({ ...answer, name }).toEqual({
      ...theirs,
      name,
      body: expect.stringMatching(/(must be|not allowed).*\n$/),
    });
  if (LISTS.includes(name.split(':')[0] ?? '') && theirs.status === 200) {
    return expect({ ...answer, name, body: byId(answer.body) }).toEqual({ ...theirs, name, body: byId(theirs.body) });
  }
  expect({ ...answer, name, body: ownWords(answer.body) }).toEqual({ ...theirs, name, body: ownWords(theirs.body) });
}

/** References and authorization codes are each provider's and each series' own. */
function ownWords(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('authCode' in body)) return body;
  return { ...body, invoiceReference: '$reference', authCode: '$code' };
}

describe('The recorded answers of the reference', () => {
  it('are ours, but for the documented differences, in a scenario that goes through all of its routes', () => {
    expect(ours.map(({ request }) => nameOf(request))).toEqual(reference.map(({ request }) => nameOf(request)));
    reference.forEach(({ request, answer }, i) => {
      const own = ours[i];
      if (own) expectAlike(nameOf(request), answer, withoutOurs(own.answer));
    });
  });

  it('differ nowhere else than documented', () => {
    const names = reference.map(({ request }) => nameOf(request));
    expect(Object.keys(DIFFERENCES).filter((name) => !names.includes(name))).toEqual([]);
  });
});
