import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createDeployment, ROLES } from '../helpers/deployment.ts';
import type { Deployment, RoleName, RoleProcess } from '../helpers/deployment.ts';
import {
  eventsOf,
  numberingFaults,
  OUTGOING,
  untilSettled,
  versionGaps,
  withoutRepeats,
} from '../helpers/end-state.ts';
import type { ReadEvent } from '../helpers/end-state.ts';
import { readRetailFile, RETAIL_FILE } from '../helpers/retail-file.ts';
import { waitFor } from '../helpers/wait.ts';

const DAY = '2010-12-01';
const MINUTES = 60_000;

const invoices = readRetailFile().filter(({ day }) => day === DAY);
const valid = invoices.filter(({ refusedFor }) => refusedFor === undefined);
const refused = invoices.filter(({ refusedFor }) => refusedFor !== undefined);

let folder: string;
let file: string;
let deployment: Deployment;
const running = new Map<RoleName, RoleProcess>();

async function start(...roles: RoleName[]): Promise<void> {
  const started = await Promise.all(roles.map((role) => deployment.start(role)));
  roles.forEach((role, i) => running.set(role, started[i] as RoleProcess));
}

async function kill(...roles: RoleName[]): Promise<void> {
  await Promise.all([...running].filter(([role]) => roles.includes(role)).map(([, process]) => process.kill()));
}

async function untilAtLeast(what: 'claimed' | 'charged' | 'sent' | 'closed', n: number): Promise<void> {
  const counts = {
    claimed: sql<{ n: number }>`select count(*) as n from ledger`,
    charged: sql<{ n: number }>`select count(*) as n from simulated_charges`,
    sent: sql<{ n: number }>`select count(*) as n from outbox where sent_at is not null`,
    closed: sql<{ n: number }>`select count(*) as n from ledger where state = 'closed'`,
  };
  await waitFor(
    `${n} ${what}`,
    async () => ((await counts[what].execute(deployment.db)).rows[0]?.n ?? 0) >= n,
    3 * MINUTES,
  );
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'oms-kill-'));
  file = path.join(folder, 'day.csv');
  const [header = '', ...rows] = gunzipSync(readFileSync(RETAIL_FILE)).toString('utf8').split('\n');
  writeFileSync(file, [header, ...rows.filter((row) => row.includes(`,${DAY} `))].join('\n'));
  deployment = await createDeployment({
    OMS_SIM_CARRIER_PICKUP: '500 ms',
    OMS_SIM_CARRIER_TRANSIT: '500 ms',
    OMS_CUSTOMER_ACTION_TIMEOUT: '2 s',
    OMS_SWEEP_INTERVAL: '1 s',
  });
  expect(await deployment.oms(['stock', 'seed', RETAIL_FILE])).toMatchObject({ code: 0 });
}, 2 * MINUTES);
afterAll(async () => {
  await deployment?.drop();
  rmSync(folder, { recursive: true });
});

describe('an import with kill -9 of each role, and of all at once, in the middle of it', () => {
  it(
    'comes to the same end state as one without',
    async () => {
      await start(...ROLES);
      const imported = deployment.oms(['orders', 'import', file, '--rate', '20', '--json']);
      await untilAtLeast('claimed', 20);
      await kill('ingest');
      await start('ingest');
      await untilAtLeast('charged', 20);
      await kill('worker');
      await start('worker');
      await untilAtLeast('sent', 200);
      await kill('publisher');
      await start('publisher');
      await untilAtLeast('closed', 5);
      await kill(...ROLES);
      await start(...ROLES);
      expect(JSON.parse((await imported).stdout)).toMatchObject({ produced: invoices.length });
      await untilSettled(deployment, valid.length, refused.length);
    },
    10 * MINUTES,
  );

  it('has taken each order once and refused the rest', async () => {
    const rows = await deployment.db.selectFrom('ledger').select('order_id').orderBy('order_id').execute();
    expect(rows.map((row) => row.order_id)).toEqual(valid.map(({ id }) => id).sort());
    const letters = await deployment.records('orders.dlq');
    const ids = new Map(letters.map(({ headers, key }) => [headers['oms-dlq-id'], key?.toString()]));
    expect([...ids.values()].sort()).toEqual(refused.map(({ id }) => id).sort());
  });

  it('has charged and invoiced each shipment once, and shipped every piece once', async () => {
    const { rows } = await sql<Record<string, number>>`
      select (select count(*) from simulated_charges) as charges, (select count(*) from invoices) as invoices,
        (select count(*) from simulated_bookings) as bookings, (select count(distinct fulfillment_id) from invoices) as billed,
        (select coalesce(sum(reserved), 0) from stock)::int as reserved
    `.execute(deployment.db);
    const counts = rows[0] ?? {};
    expect(counts).toEqual({
      ...counts,
      invoices: counts.charges,
      bookings: counts.charges,
      billed: counts.charges,
      reserved: 0,
    });
    const taken = await sql<{ pieces: number }>`
      select coalesce(sum(i.quantity), 0)::int as pieces from fulfillments f join fulfillment_items i using (fulfillment_id)
      where f.status = 'completed'
    `.execute(deployment.db);
    const statuses = await deployment.db.selectFrom('orders').select(['order_id', 'status']).execute();
    const completed = new Set(statuses.filter(({ status }) => status === 'completed').map((row) => row.order_id));
    const ordered = valid
      .filter(({ id }) => completed.has(id))
      .reduce((sum, { lines }) => sum + lines.reduce((pieces, { quantity }) => pieces + quantity, 0), 0);
    expect(taken.rows[0]?.pieces).toBe(ordered);
  });

  it('has told it all in order, without a gap, repeats in the same bytes', async () => {
    const all: ReadEvent[] = [];
    for (const kind of OUTGOING) {
      const events = withoutRepeats(await eventsOf(deployment, kind));
      expect(numberingFaults(kind, events)).toEqual([]);
      all.push(...events);
    }
    expect(versionGaps(all)).toEqual([]);
    const { rows } = await sql<{ n: number }>`select count(*) as n from outbox`.execute(deployment.db);
    expect(all).toHaveLength(rows[0]?.n ?? 0);
  });
});
