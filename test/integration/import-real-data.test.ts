import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createDeployment, ROLES } from '../helpers/deployment.ts';
import type { Deployment, RoleProcess } from '../helpers/deployment.ts';
import {
  effectCounts,
  eventsOf,
  numberingFaults,
  OUTGOING,
  untilSettled,
  versionGaps,
  withoutRepeats,
  workflowIds,
} from '../helpers/end-state.ts';
import type { OutgoingKind, ReadEvent } from '../helpers/end-state.ts';
import { forgetHistories } from '../helpers/forget-histories.ts';
import { freePorts } from '../../local/ports.ts';
import { readRetailFile, RETAIL_FILE } from '../helpers/retail-file.ts';
import type { RetailInvoice } from '../helpers/retail-file.ts';
import { waitFor } from '../helpers/wait.ts';

const SETTINGS = {
  OMS_SIM_CARRIER_PICKUP: '100 ms',
  OMS_SIM_CARRIER_TRANSIT: '100 ms',
  OMS_SIM_CARRIER_LATENCY: '0 ms',
  OMS_SIM_PAYMENT_LATENCY: '0 ms',
  OMS_CUSTOMER_ACTION_TIMEOUT: '2 s',
};
const IMPORT_MINUTES = 20;

const invoices = readRetailFile();
const valid = invoices.filter(({ refusedFor }) => refusedFor === undefined);
const refused = invoices.filter(({ refusedFor }) => refusedFor !== undefined);
const idsOf = (some: readonly RetailInvoice[]): string[] => some.map(({ id }) => id).sort();

let deployment: Deployment;
let ingest: RoleProcess;
const events = new Map<OutgoingKind, ReadEvent[]>();
const told = (kind: OutgoingKind): ReadEvent[] => events.get(kind) ?? [];

beforeAll(async () => {
  deployment = await createDeployment(SETTINGS);
  const seeded = await deployment.oms(['stock', 'seed', RETAIL_FILE]);
  expect(seeded).toMatchObject({ code: 0 });
  [ingest] = (await Promise.all(ROLES.toReversed().map((role) => deployment.start(role)))) as [RoleProcess];
  const imported = await deployment.oms(['orders', 'import', RETAIL_FILE, '--json']);
  expect(JSON.parse(imported.stdout)).toMatchObject({
    orders: invoices.length,
    produced: invoices.length,
    notProduced: [],
  });
  await untilSettled(deployment, valid.length, refused.length);
  for (const kind of OUTGOING) events.set(kind, await eventsOf(deployment, kind));
}, IMPORT_MINUTES * 60_000);
afterAll(() => deployment?.drop());

describe('a month of real orders', () => {
  it('is what the file says: 2,025 invoices, of which 625 are no orders', () => {
    expect({ all: invoices.length, valid: valid.length, refused: refused.length }).toEqual({
      all: 2_025,
      valid: 1_400,
      refused: 625,
    });
  });

  it('has a ledger row for each valid order, and for nothing else', async () => {
    const rows = await deployment.db.selectFrom('ledger').select(['order_id', 'state']).execute();
    expect(rows.map((row) => row.order_id).sort()).toEqual(idsOf(valid));
    expect(new Set(rows.map((row) => row.state))).toEqual(new Set(['closed']));
  });

  it('has one workflow for each valid order, and for nothing else', async () => {
    // Visibility follows the executions after a while.
    const ids = await waitFor('visibility to list all', async () => {
      const listed = await workflowIds(deployment);
      return listed.length >= valid.length && listed;
    });
    expect(ids.sort()).toEqual(idsOf(valid).map((id) => `Order:${id}`));
    const open = await waitFor('visibility to see all closed', async () => {
      const count = await workflowIds(deployment, `ExecutionStatus != 'Completed'`);
      return count.length === 0 && count;
    });
    expect(open).toEqual([]);
  });

  it('has a dead letter for each invoice that is no order, naming the field that makes it none', async () => {
    const letters = await deployment.records('orders.dlq');
    const reasons = letters.map(({ key, headers }) => [
      key?.toString() ?? '',
      headers['oms-dlq-error-code'] ?? '',
      headers['oms-dlq-error-field'] ?? '',
    ]);
    const expected = refused.map(({ id, refusedFor = '' }) => [id, 'OMS_INGEST_FIELD_INVALID', refusedFor]);
    expect(sorted(reasons)).toEqual(sorted(expected));
  });

  it('keeps a dead letter as it was received, readable as the event it should have been', async () => {
    const [original, letters] = [await deployment.records('orders'), await deployment.records('orders.dlq')];
    const bytes = new Map(original.map(({ key, value }) => [key?.toString(), value]));
    for (const { key, value } of letters)
      expect(value?.equals(bytes.get(key?.toString()) ?? Buffer.alloc(0))).toBe(true);
  });
});

describe('the events told of a month of real orders', () => {
  it.each(OUTGOING)('are numbered 1..n per order on %s, in topic order', (kind) => {
    expect(told(kind).length).toBeGreaterThan(0);
    expect(numberingFaults(kind, withoutRepeats(told(kind)))).toEqual([]);
  });

  it('are ordered across topics by their versions, 1..n without a gap', () => {
    const all = OUTGOING.flatMap((kind) => withoutRepeats(told(kind)));
    expect(new Set(all.map(({ orderId }) => orderId)).size).toBe(valid.length);
    expect(versionGaps(all)).toEqual([]);
  });

  it('tell of every order how it ended', async () => {
    const last = new Map(told('order-status').map(({ orderId, fields }) => [orderId, fields.status]));
    const rows = await deployment.db.selectFrom('orders').select(['order_id', 'status']).execute();
    expect([...last].sort()).toEqual(rows.map((row) => [row.order_id, row.status]).sort());
    const statuses = new Set(last.values());
    expect([...statuses].filter((status) => !['completed', 'timedOut'].includes(String(status)))).toEqual([]);
    expect(statuses).toContain('timedOut'); // some items run out, and their customers decide nothing
  });

  it('deliver exactly the pieces that were ordered, of each completed order', () => {
    const completed = completedOrders();
    const dispatched = withoutRepeats(told('shipments')).filter(({ fields }) => fields.type === 'ShipmentDispatched');
    expect(piecesByOrder(dispatched)).toEqual(orderedPieces(completed));
  });

  it('invoice each completed order exactly: goods as in the file, tax per line, shipping per shipment', () => {
    const issued = withoutRepeats(told('invoices')).filter(({ fields }) => fields.type === 'InvoiceIssued');
    const invoiced = new Map<string, number>();
    for (const { orderId, fields } of issued) {
      invoiced.set(orderId, (invoiced.get(orderId) ?? 0) + Number(fields.subTotal));
      const { subTotal, tax, shipping, total } = fields as Record<string, number>;
      expect(total).toBe((subTotal ?? 0) + (tax ?? 0) + (shipping ?? 0));
      expect(shipping).toBe(500);
    }
    const expected = completedOrders().map(({ id, lines }) => [
      id,
      lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0),
    ]);
    expect(sorted([...invoiced].map(([id, sum]) => [id, String(sum)]))).toEqual(
      sorted(expected.map(([id, sum]) => [String(id), String(sum)])),
    );
  });

  it('agree with the payment provider: one charge per invoice, of the same amount', async () => {
    const charges = await deployment.db.selectFrom('simulated_charges').select(['key', 'amount']).execute();
    const issued = withoutRepeats(told('invoices')).filter(({ fields }) => fields.type === 'InvoiceIssued');
    expect(sorted(charges.map(({ key, amount }) => [key, String(amount)]))).toEqual(
      sorted(issued.map(({ fields }) => [String(fields.fulfillmentId), String(fields.total)])),
    );
  });

  it('leave nothing promised: what was reserved was taken off the shelf or released', async () => {
    const { rows } = await sql<{ reserved: number }>`select coalesce(sum(reserved), 0) as reserved from stock`.execute(
      deployment.db,
    );
    expect(Number(rows[0]?.reserved)).toBe(0);
  });
});

describe('the same month once more', () => {
  it(
    'adds no workflow, no event, no invoice and no charge',
    async () => {
      const before = await effectCounts(deployment);
      const again = await deployment.oms(['orders', 'import', RETAIL_FILE, '--json']);
      expect(JSON.parse(again.stdout)).toMatchObject({ produced: invoices.length });
      await untilSettled(deployment, valid.length, 2 * refused.length);
      expect(await effectCounts(deployment)).toEqual(before);
      for (const kind of OUTGOING) expect(await deployment.records(kind)).toHaveLength(told(kind).length);
    },
    IMPORT_MINUTES * 60_000,
  );
});

describe('the whole topic replayed three times, once Temporal has forgotten all of it', () => {
  const letters = 2 * refused.length;
  let before: Awaited<ReturnType<typeof effectCounts>>;
  const unchanged = async (): Promise<void> => {
    await untilSettled(deployment, valid.length, letters);
    expect(await effectCounts(deployment)).toEqual(before);
    for (const kind of OUTGOING) expect(await deployment.records(kind)).toHaveLength(told(kind).length);
  };
  const reread = async (): Promise<void> => {
    await ingest.stop();
    await deployment.rereadOrders();
    ingest = await deployment.start('ingest');
  };

  it(
    'by the live group, ended by kill -9 on the way and shared out anew: nothing happens',
    async () => {
      await forgetHistories(deployment);
      before = await effectCounts(deployment);
      expect(before).toMatchObject({ workflows: 0, orders: valid.length });
      await reread();
      await ingest.kill();
      ingest = await deployment.start('ingest');
      const [port] = await freePorts(1);
      const second = await deployment.start('ingest', { OMS_INGEST_PORT: String(port) });
      await unchanged();
      await second.stop();
    },
    IMPORT_MINUTES * 60_000,
  );

  it('by a planned replay: it finds nothing new, and its run has no effect', async () => {
    const answer = await deployment.oms(['replay', 'plan', '--why', 'a test', '--json']);
    expect(answer).toMatchObject({ code: 0 });
    const { replayId, planned } = JSON.parse(answer.stdout) as { replayId: string; planned: { tallies: object } };
    expect(planned.tallies).toEqual({ done: 2 * valid.length, poison: letters });
    expect(await deployment.oms(['replay', 'run', replayId, '--json'])).toMatchObject({ code: 0 });
    await unchanged();
  });

  it(
    'by the live group once more; the audit finds no difference',
    async () => {
      await reread();
      await unchanged();
      const audit = await deployment.oms(['audit', '--settle', '1', '--grace', '1']);
      expect(audit).toMatchObject({ code: 0 });
    },
    IMPORT_MINUTES * 60_000,
  );
});

const sorted = (rows: readonly (readonly string[])[]): string[] => rows.map((row) => row.join(' ')).sort();

function completedOrders(): RetailInvoice[] {
  const last = new Map(told('order-status').map(({ orderId, fields }) => [orderId, fields.status]));
  return valid.filter(({ id }) => last.get(id) === 'completed');
}

/** `<order> <sku>` → pieces. */
function orderedPieces(orders: readonly RetailInvoice[]): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const { id, lines } of orders) for (const { sku, quantity } of lines) add(pieces, `${id} ${sku}`, quantity);
  return new Map([...pieces].sort());
}

function piecesByOrder(dispatched: readonly ReadEvent[]): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const { orderId, fields } of dispatched) {
    for (const { sku, quantity } of fields.items as { sku: string; quantity: number }[]) {
      add(pieces, `${orderId} ${sku}`, quantity);
    }
  }
  return new Map([...pieces].sort());
}

const add = (to: Map<string, number>, key: string, n: number): void => void to.set(key, (to.get(key) ?? 0) + n);
