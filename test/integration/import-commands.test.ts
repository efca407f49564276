import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDeployment, ROLES } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { readRetailFile, RETAIL_FILE } from '../helpers/retail-file.ts';
import { waitFor } from '../helpers/wait.ts';

const MINUTES = 60_000;
let deployment: Deployment;

beforeAll(async () => {
  deployment = await createDeployment({
    OMS_SIM_CARRIER_PICKUP: '300 ms',
    OMS_SIM_CARRIER_TRANSIT: '300 ms',
    OMS_CUSTOMER_ACTION_TIMEOUT: '60 s',
    TEMPORAL_UI_URL: 'http://temporal.test',
  });
  await Promise.all(ROLES.map((role) => deployment.start(role)));
}, 3 * MINUTES);
afterAll(() => deployment?.drop());

/** A command that must succeed, and what it printed as JSON. */
async function json<T = Record<string, unknown>>(...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await deployment.oms([...words, '--json']);
  if (code !== 0) throw new Error(`oms ${words.join(' ')} exited with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

function event(orderId: string, payload: Record<string, unknown>, eventId = `${orderId}/1`): string {
  return JSON.stringify({ eventId, orderId, occurredAt: '2026-01-31T12:00:00Z', source: 'shop', payload });
}

const order = (...items: Record<string, unknown>[]) => ({ OrderPlaced: { customerId: 'c-1', currency: 'GBP', items } });

async function produce(...lines: string[]) {
  const result = await deployment.oms(['orders', 'produce', '-', '--json'], { input: lines.join('\n') });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(result.stdout) as { produced: { orderId: string; partition: number; offset: string }[] };
}

interface Shown {
  order: { status: string; reason: string | null } | null;
  ledger: { state: string };
  fulfillments: { id: string; status: string; invoice: { total: number } | null }[];
  timeline: { eventId: string; type: string; cause: string; sentAt: string | null }[];
  incoming: { eventId: string; outcome: string }[];
  deadLetters: { id: string; code: string }[];
  links: { workflow: string };
}

const untilStatus = (orderId: string, status: string): Promise<Shown> =>
  waitFor(`${orderId} to be ${status}`, async () => {
    const { code, stdout } = await deployment.oms(['orders', 'show', orderId, '--json']);
    const shown = code === 0 ? (JSON.parse(stdout) as Shown) : undefined;
    const told = shown?.timeline.every(({ sentAt }) => sentAt !== null);
    return shown?.order?.status === status && told && shown;
  });

describe('oms stock', () => {
  it('seeds the SKUs of a file once, and leaves what is there', async () => {
    const first = await json('stock', 'seed', RETAIL_FILE);
    expect(first).toMatchObject({ levels: expect.any(Number), knownLevels: 0 });
    expect(await json('stock', 'seed', RETAIL_FILE)).toMatchObject({ levels: 0, prices: 0, knownLevels: first.levels });
  });

  it('sets and shows levels and prices', async () => {
    expect(await json('stock', 'set', 'NEW-1', 'east', '7', '--price', '1.50')).toMatchObject({
      onHand: 7,
      reserved: 0,
    });
    await json('stock', 'set', 'NEW-1', 'west', '3');
    expect(await json<unknown[]>('stock', 'show', 'NEW-1')).toEqual([
      expect.objectContaining({
        warehouse: 'east',
        onHand: 7,
        free: 7,
        prices: [{ sku: 'NEW-1', currency: 'GBP', unitPrice: 150, listVersion: expect.any(Number) }],
      }),
      expect.objectContaining({ warehouse: 'west', onHand: 3 }),
    ]);
  });

  it('takes in a level with a version once, and a count by hand whatever the version', async () => {
    const set = (...words: string[]) => json('stock', 'set', 'NEW-2', 'east', ...words);
    expect(await set('7', '--version', '4', '--price', '1.50')).toMatchObject({ applied: true, levelVersion: 4 });
    expect(await set('9', '--version', '4', '--price', '9.99')).toMatchObject({ applied: false, onHand: 7 });
    expect(await set('8')).toMatchObject({ applied: true, onHand: 8, levelVersion: 4 });
    const [shown] = await json<unknown[]>('stock', 'show', 'NEW-2');
    expect(shown).toMatchObject({ onHand: 8, shortage: 0, levelVersion: 4, prices: [{ unitPrice: 150 }] });
    const { stdout } = await deployment.oms(['stock', 'show', 'NEW-2']);
    expect(stdout).toMatch(/SHORT +VERSION +PRICE\nNEW-2 +east +8 +0 +8 +- +4 +1\.50 GBP \(list \d+\)/);
  });

  it('produces levels of a CSV file, which become stock and prices', async () => {
    const file = path.join(await mkdtemp(path.join(tmpdir(), 'levels-')), 'levels.csv');
    const head = 'sku,warehouse,onHand,version,unitPrice,currency';
    await writeFile(file, `${head}\nCSV-1,east,5,1,250,GBP\n\nCSV-1,west,3,1,,\n`);
    expect(await json('stock', 'produce', file, '--dry-run')).toEqual({ valid: 2, produced: 0 });
    expect(await json('stock', 'produce', file)).toEqual({ valid: 2, produced: 2 });
    const shown = await waitFor('the levels', async () => {
      const rows = await json<{ onHand: number }[]>('stock', 'show', 'CSV-1');
      return rows.length === 2 && rows;
    });
    expect(shown).toMatchObject([
      { warehouse: 'east', onHand: 5, levelVersion: 1, prices: [{ unitPrice: 250, currency: 'GBP' }] },
      { warehouse: 'west', onHand: 3, levelVersion: 1 },
    ]);
    await writeFile(file, `${head}\nCSV-1,east,9,2,,\nCSV-1,east,-9,3,,\nCSV-1,east,9,4,250,\n`);
    const { code, stderr } = await deployment.oms(['stock', 'produce', file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/levels.csv:3: onHand is -9: .*levels.csv:4: currency is null: /s);
  });

  it.each([
    ['a fraction of a piece', ['NEW-1', 'east', '1.5']],
    ['fewer than none', ['NEW-1', 'east', '--', '-1']],
    ['a version below 0', ['NEW-1', 'east', '1', '--version', '-1']],
    ['a fraction of a penny', ['NEW-1', 'east', '1', '--price', '1.555']],
  ])('refuses %s', async (_what, words) => {
    expect(await deployment.oms(['stock', 'set', ...words])).toMatchObject({ code: 2 });
  });
});

describe('oms orders', () => {
  it('produces an order, which comes to its end, and shows all that happened, with causes and links', async () => {
    const { produced } = await produce(event('P-1', order({ sku: '85123A', quantity: 2, unitPrice: 255 })));
    expect(produced).toMatchObject([{ orderId: 'P-1' }]);
    const shown = await untilStatus('P-1', 'completed');
    expect(shown.incoming).toMatchObject([{ eventId: 'P-1/1', outcome: 'started' }]);
    expect(shown.fulfillments).toMatchObject([
      { id: 'P-1:1', status: 'completed', invoice: { total: 510 + 102 + 500 } },
    ]);
    expect(shown.timeline[0]).toMatchObject({ type: 'OrderStatus', cause: 'P-1/1' });
    expect(shown.timeline.map(({ type }) => type)).toContain('Delivered');
    expect(shown.links.workflow).toMatch(
      /^http:\/\/temporal\.test\/namespaces\/test-\S+\/workflows\/Order%3AP-1\/\S+$/,
    );
    const { stdout } = await deployment.oms(['orders', 'show', 'P-1']);
    expect(stdout).toMatch(/Order P-1: completed\n.*85123A.*P-1\/1\/Delivered\/1.*Workflow: http/s);
  });

  it('produces nothing when one line is not acceptable, and names every such line', async () => {
    const bad = event('P-2', order({ sku: '85123A', quantity: 0 }));
    const input = [event('P-3', order({ sku: '85123A', quantity: 1 })), bad, '{'].join('\n');
    const { code, stderr } = await deployment.oms(['orders', 'produce', '-'], { input });
    expect(code).toBe(1);
    expect(stderr).toMatch(/-:2: payload\.items\[0\]\.quantity is 0: must be.*\n.*-:3: \(line\)/);
    expect(await deployment.oms(['orders', 'show', 'P-3'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('OMS_ORDER_UNKNOWN'),
    });
  });

  it('cancels an order that waits for its customer', async () => {
    await produce(
      event(
        'P-4',
        order({ sku: 'NOWHERE', quantity: 1, unitPrice: 100 }, { sku: '85123A', quantity: 1, unitPrice: 255 }),
      ),
    );
    await untilStatus('P-4', 'customerActionRequired');
    expect(
      (await json<{ orderId: string; status: string }[]>('orders', 'ls', '--status', 'customerActionRequired'))[0],
    ).toMatchObject({ orderId: 'P-4' });
    await json('orders', 'cancel', 'P-4', '--reason', 'changed my mind', '--event-id', 'P-4/cancel');
    const shown = await untilStatus('P-4', 'cancelled');
    expect(shown.incoming.map(({ eventId }) => eventId)).toContain('P-4/cancel');
    expect(shown.timeline.some(({ cause }) => cause === 'P-4/cancel')).toBe(true);
  });

  it('amends an order that waits for its customer: it goes on with what there is', async () => {
    await produce(
      event(
        'P-5',
        order({ sku: 'NOWHERE', quantity: 1, unitPrice: 100 }, { sku: '85123A', quantity: 1, unitPrice: 255 }),
      ),
    );
    await untilStatus('P-5', 'customerActionRequired');
    await produce(event('P-5', { CustomerAction: { action: 'Amend' } }, 'P-5/amend'));
    const { fulfillments } = await untilStatus('P-5', 'completed');
    expect(fulfillments.map(({ status }) => status).sort()).toEqual(['cancelled', 'completed']);
  });

  it('does not know the source of an order that never came, and sends the cancel only when told it', async () => {
    expect(await deployment.oms(['orders', 'cancel', 'NONE'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('OMS_ORDER_UNKNOWN'),
    });
    expect(await deployment.oms(['orders', 'cancel', 'NO NE'])).toMatchObject({ code: 2 });
  });

  it('imports one day at a chosen rate, or only says what it would import', async () => {
    const day = ['--day', '2010-12-23'];
    const dry = await json<{ orders: number; wouldRefuse: unknown[] }>(
      'orders',
      'import',
      RETAIL_FILE,
      ...day,
      '--dry-run',
    );
    const ofDay = readRetailFile().filter((invoice) => invoice.day === '2010-12-23');
    expect({ orders: dry.orders, refused: dry.wouldRefuse.length }).toEqual({
      orders: ofDay.length,
      refused: ofDay.filter(({ refusedFor }) => refusedFor).length,
    });
    const before = (await deployment.records('orders')).length;
    const imported = await json<{ orders: number; produced: number; perSecond: number }>(
      'orders',
      'import',
      RETAIL_FILE,
      ...day,
      '--rate',
      '40',
    );
    expect(imported.produced).toBe(imported.orders);
    expect(imported.perSecond).toBeLessThanOrEqual(50);
    expect(await deployment.records('orders')).toHaveLength(before + imported.produced);
  });
});

describe('oms topics tail', () => {
  it('prints what is there, decoded, and leaves no group behind', async () => {
    const { stdout, code } = await deployment.oms([
      'topics',
      'tail',
      'deliveries',
      'shipments',
      '--from-beginning',
      '--no-follow',
      '--order',
      'P-1',
      '--json',
    ]);
    expect(code).toBe(0);
    const records = stdout
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { topic: string; key: string; value: { type: string }; headers: Record<string, string> },
      );
    expect(records.map(({ value }) => value.type).sort()).toEqual([
      'Delivered',
      'ShipmentBooked',
      'ShipmentDispatched',
    ]);
    expect((await deployment.groups()).filter((group) => group.includes('tail'))).toEqual([]);
    expect(records[0]).toMatchObject({ key: 'P-1', headers: { ce_specversion: '1.0', ce_subject: 'P-1' } });
  });

  it('ends after so many records, for people too', async () => {
    const { stdout } = await deployment.oms(['topics', 'tail', 'orders', '--from-beginning', '--max', '3']);
    expect(stdout.trim().split('\n')).toHaveLength(3);
  });

  it(
    'follows what comes from now on',
    async () => {
      const tail = deployment.oms(['topics', 'tail', 'orders', '--max', '1', '--json']);
      let n = 0;
      // The reader has no sign of being there but what it prints: events are sent until it has one.
      const stop = new AbortController();
      const sending = (async () => {
        while (!stop.signal.aborted) await produce(event('P-6', order({ sku: '85123A', quantity: 1 }), `P-6/${n++}`));
      })();
      const { stdout } = await tail;
      stop.abort();
      await sending;
      expect(JSON.parse(stdout)).toMatchObject({ key: 'P-6', value: { orderId: 'P-6' } });
    },
    MINUTES,
  );
});

describe('oms dlq', () => {
  it('lists refusals with counts, and shows one with its record', async () => {
    const file = ['orders', 'import', RETAIL_FILE, '--day', '2010-12-23', '--source', 'other-shop'];
    await json(...file); // the same ids from another source: conflicts
    const list = await waitFor('a conflict', async () => {
      const listed = await json<{
        counts: { code: string; count: number }[];
        deadLetters: { id: string; code: string; orderId: string }[];
      }>('dlq', 'ls', '--code', 'OMS_INGEST_ORDER_CONFLICT');
      return listed.deadLetters.length > 0 && listed;
    });
    expect(list.counts.map(({ code }) => code)).toContain('OMS_INGEST_ORDER_CONFLICT');
    const [first] = list.deadLetters;
    if (!first) throw new Error('none listed');
    expect(await json('dlq', 'show', first.id.slice(0, 12))).toMatchObject({
      id: first.id,
      key: first.orderId,
      fault: { field: 'source', value: '"other-shop"' },
      value: { source: 'other-shop' },
    });
    expect(await json('orders', 'show', first.orderId)).toMatchObject({
      deadLetters: [{ code: 'OMS_INGEST_ORDER_CONFLICT' }],
    });
  });

  it('asks for more of an id that is none', async () => {
    expect(await deployment.oms(['dlq', 'show', 'zzz'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no dead letter begins with zzz'),
    });
  });
});
