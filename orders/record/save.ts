import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { insertRows, setExcluded, without } from '../../database/columns.ts';
import { ledgerState, rowsOf } from '../../database/database.ts';
import { ofDeployment, outboxRow } from '../../database/outbox/outbox.ts';
import type { EventEncoder, NewEvent } from '../../database/outbox/outbox.ts';
import { isFinalOrder } from '../../domain/status.ts';
import { orderStatusEvent } from '../events.ts';
import { stockChange } from '../stock/stock-moves.ts';
import {
  CREDIT_NOTE_ROWS,
  INVOICES,
  PAYMENTS,
  SHIPMENTS,
  creditNoteRow,
  invoiceRows,
  paymentRows,
  shipmentRows,
  time,
} from './columns.ts';
import type { OrderStep } from './order-step.ts';
import type { CreditNoteRecord, FulfillmentRecord, OrderRecord } from './record.ts';

/** What an order looked like before a step, part by part. */
export type Snapshot = Map<string, string>;

export function snapshotOf(order: OrderRecord): Snapshot {
  const parts: [string, unknown][] = order.fulfillments.flatMap((f) => [
    [`fulfillment ${f.id}`, [f.status, f.reason]],
    [`items ${f.id}`, f.items],
    [`invoice ${f.id}`, f.invoice],
    [`payment ${f.id}`, f.payment],
    [`notes ${f.id}`, f.creditNotes],
    [`shipment ${f.id}`, f.shipment],
  ]);
  parts.push(['order', [order.status, order.reason, order.closedAt, order.overdue]]);
  parts.push(['address', order.shipTo]);
  return new Map(parts.map(([part, value]) => [part, JSON.stringify(value)]));
}

/** The order was changed since it was read: decide anew. */
const CHANGED_SINCE = '40001';
/** What was promised is not there: nobody can mend that by trying again. */
const NOT_THERE = '23514';

/** Writes what a step has changed, in one statement, provided that the order is still at the version it was read at. */
export async function saveStep(encoder: EventEncoder, before: Snapshot, step: OrderStep): Promise<void> {
  const { order, db } = step;
  const after = snapshotOf(order);
  const changed = (part: string): boolean => before.get(part) !== after.get(part);
  if ([...after.keys()].some(changed)) step.tell(orderStatusEvent(order, step.cause));
  const touched = (part: string): FulfillmentRecord[] => order.fulfillments.filter((f) => changed(`${part} ${f.id}`));
  const moves = stockChange(step.stock);
  const writes = [
    ...eventWrites(encoder, step, changed('order') && isFinalOrder(order.status)),
    write('f', touched('fulfillment'), updateFulfillments),
    write('fd', touched('items'), deleteDroppedItems),
    write('fu', touched('items'), lowerItems),
    write('i', touched('invoice'), (rows) => insertInvoices(order, rows)),
    write('p', touched('payment'), (rows) => upsertPayments(order, rows)),
    write('c', notesOf(touched('notes'), true), (rows) => insertCreditNotes(order, rows)),
    write('cs', notesOf(touched('notes'), false), settleNotes),
    write('s', touched('shipment'), upsertShipments),
    write('k', moves, (change) => change.statement),
    write('n', step.news, insertNews),
    write('h', step.handled, (rows) => upsertHandled(order.orderId, rows)),
  ].filter((part) => part !== null);
  if (writes.length === 0) return;
  const held = [sql`1`];
  if (step.events.length > 0) held.push(expectRows('o', 1, CHANGED_SINCE));
  if (moves) held.push(expectRows('k', moves.rows, NOT_THERE));
  await sql`with ${sql.join(writes)} select ${sql.join(held)}`.execute(db);
}

/** Fails the statement unless the write of that name touched so many rows. */
export function expectRows(name: string, rows: number, code: string): RawBuilder<unknown> {
  return sql`oms_expect((select count(*) from ${sql.raw(name)}), ${rows}, ${code}, ${`rows of ${name}`})`;
}

/** A named write of the statement; none when there is nothing to write. */
function write<T>(name: string, given: T | null, statement: (given: T) => RawBuilder<unknown>) {
  if (given === null || (Array.isArray(given) && given.length === 0)) return null;
  return sql`${sql.raw(name)} as (${statement(given)})`;
}

function updateFulfillments(fulfillments: FulfillmentRecord[]) {
  const rows = fulfillments.map(({ id, status, reason }) => ({ id, status, reason }));
  return sql`update fulfillments set status = r.status, reason = r.reason, updated_at = now()
    from ${rowsOf(rows, 'id text, status text, reason text')} where fulfillment_id = r.id returning 1`;
}

function deleteDroppedItems(fulfillments: FulfillmentRecord[]) {
  const rows = fulfillments.flatMap(({ id, items }) => items.map(({ line }) => ({ id, line })));
  return sql`delete from fulfillment_items i where i.fulfillment_id = any(${fulfillments.map(({ id }) => id)}::text[])
      and not exists (select from ${rowsOf(rows, 'id text, line int')} where r.id = i.fulfillment_id and r.line = i.line)
    returning 1`;
}

function lowerItems(fulfillments: FulfillmentRecord[]) {
  const rows = fulfillments.flatMap(({ id, items }) => items.map(({ line, quantity }) => ({ id, line, quantity })));
  return sql`update fulfillment_items i set quantity = r.quantity
    from ${rowsOf(rows, 'id text, line int, quantity int')}
    where i.fulfillment_id = r.id and i.line = r.line and i.quantity <> r.quantity returning 1`;
}

function insertInvoices(order: OrderRecord, fulfillments: FulfillmentRecord[]) {
  const rows = fulfillments.flatMap((f) => invoiceRows(order, f));
  return sql`${insertRows(INVOICES, rows)} returning 1`;
}

const PAYMENT_CHANGES = setExcluded(without(PAYMENTS, 'fulfillment_id', 'order_id', 'mode', 'currency', 'amount'));

function upsertPayments(order: OrderRecord, fulfillments: FulfillmentRecord[]) {
  const rows = fulfillments.flatMap((f) => paymentRows(order, f));
  return sql`${insertRows(PAYMENTS, rows)}
    on conflict (fulfillment_id) do update set ${PAYMENT_CHANGES} returning 1`;
}

interface Note {
  fulfillment: FulfillmentRecord;
  note: CreditNoteRecord;
}

/** Credit notes of these fulfillments: those drawn in this step, or those known before. */
function notesOf(fulfillments: FulfillmentRecord[], drawn: boolean): Note[] {
  return fulfillments.flatMap((fulfillment) => {
    const notes = fulfillment.creditNotes.filter((note) => (note.drawn !== undefined) === drawn);
    return fulfillment.invoice ? notes.map((note) => ({ fulfillment, note })) : [];
  });
}

function insertCreditNotes(order: OrderRecord, notes: Note[]) {
  const rows = notes.map(({ fulfillment, note }) => creditNoteRow(order, fulfillment, note));
  return sql`${insertRows(CREDIT_NOTE_ROWS, rows)} returning 1`;
}

function settleNotes(notes: Note[]) {
  const rows = notes.map(({ note: { creditNoteId, refunded, settledAt } }) => ({
    creditNoteId,
    refunded,
    settledAt: time(settledAt),
  }));
  return sql`update credit_notes set refunded = r.refunded, settled_at = r."settledAt"
    from ${rowsOf(rows, '"creditNoteId" text, refunded bigint, "settledAt" timestamptz')}
    where credit_note_id = r."creditNoteId" returning 1`;
}

const SHIPMENT_CHANGES = setExcluded(without(SHIPMENTS, 'shipment_id', 'order_id'));

function upsertShipments(fulfillments: FulfillmentRecord[]) {
  return sql`${insertRows(SHIPMENTS, fulfillments.flatMap(shipmentRows))}
    on conflict (shipment_id) do update set ${SHIPMENT_CHANGES}, updated_at = now() returning 1`;
}

/** News kept before, when it could not be applied yet, may have been applied now. */
function insertNews(news: OrderStep['news']) {
  const columns = `update_id text, shipment_id text, status text, applied boolean, occurred_at timestamptz,
    detail text`;
  return sql`insert into carrier_updates (update_id, shipment_id, status, applied, occurred_at, detail)
    select * from ${rowsOf(news, columns)}
    on conflict (shipment_id, update_id) do update set applied = true
      where excluded.applied and not carrier_updates.applied
    returning 1`;
}

/** Ingest may have written the event as signalled before, or may want to later: what became of it stays. */
function upsertHandled(orderId: string, handled: OrderStep['handled']) {
  return sql`insert into ledger_events (order_id, event_id, type, outcome, reason)
    select ${orderId}, r."eventId", r.type, r.outcome, r.reason
    from ${rowsOf(handled, '"eventId" text, type text, outcome text, reason text')} order by r."eventId" collate "C"
    on conflict (order_id, event_id) do update set outcome = excluded.outcome,
      reason = coalesce(excluded.reason, ledger_events.reason) returning 1`;
}

/** The events with their numbers, the order's row that counts them, and the ledger's when the order has ended. */
function eventWrites(encoder: EventEncoder, { order, events }: OrderStep, ended: boolean): RawBuilder<unknown>[] {
  if (events.length === 0) return [];
  const readAt = order.version;
  const told = insertEvents(encoder, order, events);
  const counted = sql`update orders set version = ${order.version}, sequences = ${JSON.stringify(order.sequences)},
      status = ${order.status}, reason = ${order.reason}, overdue = ${order.overdue},
      ship_to = ${order.shipTo && JSON.stringify(order.shipTo)}::jsonb, closed_at = ${time(order.closedAt)}, updated_at = now()
    where order_id = ${order.orderId} and version = ${readAt} returning 1`;
  const closed = sql`update ledger set state = ${ledgerState('closed')}, closed_at = now()
    where order_id = ${order.orderId} and state <> ${ledgerState('closed')} returning 1`;
  const writes = [sql`o as (${counted})`, sql`e as (${told})`];
  return ended ? [...writes, sql`l as (${closed})`] : writes;
}

/** Numbers the events, counting the order's record on, and writes them. */
export function insertEvents(encoder: EventEncoder, order: OrderRecord, events: readonly NewEvent[]) {
  const rows = events.map((event) => {
    const row = outboxRow(encoder, order.orderId, event, order);
    return { ...row, value: row.value.toString('base64'), headers: JSON.parse(row.headers) as unknown };
  });
  const columns = `event_id text, version bigint, topic text, sequence bigint, type text, cause text, value text,
    headers jsonb, shard smallint`;
  return sql`insert into outbox (event_id, order_id, version, topic, sequence, type, cause, key, value, headers, shard)
    select r.event_id, ${order.orderId}, r.version, r.topic, r.sequence, r.type, r.cause, ${order.orderId},
      decode(r.value, 'base64'), ${ofDeployment(sql`r.headers`)}, r.shard from ${rowsOf(rows, columns)} order by r.version returning 1`;
}
