import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { ledgerState, rowsOf } from '../../database/database.ts';
import { ofDeployment, outboxRow } from '../../database/outbox/outbox.ts';
import type { EventEncoder, NewEvent } from '../../database/outbox/outbox.ts';
import { isFinalOrder } from '../../domain/status.ts';
import { orderStatusEvent } from '../events.ts';
import { stockChange } from '../stock/stock-moves.ts';
import type { CreditNoteRecord, FulfillmentRecord, OrderRecord } from './record.ts';
import type { OrderStep } from './step-types.ts';

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
    write('s', touched('shipment'), (rows) => upsertShipments(order, rows)),
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

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

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
  const rows = fulfillments.flatMap(({ id, invoice }) =>
    invoice ? [{ ...invoice, ...invoice.drawn, id, issuedAt: time(invoice.issuedAt) }] : [],
  );
  const columns = `"invoiceId" text, series text, number bigint, id text, "subTotal" bigint, tax bigint,
    shipping bigint, total bigint, lines jsonb, pricing jsonb, "issuedAt" timestamptz`;
  return sql`insert into invoices (invoice_id, series, number, fulfillment_id, order_id, customer_id, currency,
      sub_total, tax, shipping, total, lines, pricing, issued_at)
    select r."invoiceId", r.series, r.number, r.id, ${order.orderId}, ${order.customerId}, ${order.currency},
      r."subTotal", r.tax, r.shipping, r.total, r.lines, r.pricing, r."issuedAt" from ${rowsOf(rows, columns)}
    returning 1`;
}

function upsertPayments(order: OrderRecord, fulfillments: FulfillmentRecord[]) {
  const rows = fulfillments.flatMap(({ id, payment }) =>
    payment ? [{ ...payment, id, settledAt: time(payment.settledAt) }] : [],
  );
  const columns = `id text, status text, mode text, amount bigint, captured bigint, reference text, "authCode" text,
    "declineReason" text, refunded bigint, "settledAt" timestamptz`;
  return sql`insert into payments (fulfillment_id, order_id, status, mode, currency, amount, captured, reference,
      auth_code, decline_reason, refunded, settled_at)
    select r.id, ${order.orderId}, r.status, r.mode, ${order.currency}, r.amount, r.captured, r.reference,
      r."authCode", r."declineReason", r.refunded, r."settledAt" from ${rowsOf(rows, columns)}
    on conflict (fulfillment_id) do update set status = excluded.status, captured = excluded.captured,
      reference = excluded.reference, auth_code = excluded.auth_code, decline_reason = excluded.decline_reason,
      refunded = excluded.refunded, settled_at = excluded.settled_at
    returning 1`;
}

type NoteRow = CreditNoteRecord & { id: string; invoiceId: string };

/** Credit notes of these fulfillments: those drawn in this step, or those known before. */
function notesOf(fulfillments: FulfillmentRecord[], drawn: boolean): NoteRow[] {
  return fulfillments.flatMap(({ id, invoice, creditNotes }) => {
    const notes = creditNotes.filter((note) => (note.drawn !== undefined) === drawn);
    return invoice ? notes.map((note) => ({ ...note, id, invoiceId: invoice.invoiceId })) : [];
  });
}

function insertCreditNotes(order: OrderRecord, notes: NoteRow[]) {
  const rows = notes.map((note) => ({
    ...note,
    ...note.drawn,
    issuedAt: time(note.issuedAt),
    settledAt: time(note.settledAt),
  }));
  const columns = `"creditNoteId" text, series text, number bigint, "invoiceId" text, id text, "subTotal" bigint,
    tax bigint, shipping bigint, total bigint, lines jsonb, reason text, "issuedAt" timestamptz, "settledAt" timestamptz`;
  return sql`insert into credit_notes (credit_note_id, series, number, invoice_id, fulfillment_id, order_id, customer_id,
      currency, sub_total, tax, shipping, total, lines, reason, issued_at, settled_at)
    select r."creditNoteId", r.series, r.number, r."invoiceId", r.id, ${order.orderId}, ${order.customerId},
      ${order.currency}, r."subTotal", r.tax, r.shipping, r.total, r.lines, r.reason, r."issuedAt", r."settledAt"
    from ${rowsOf(rows, columns)} returning 1`;
}

function settleNotes(notes: NoteRow[]) {
  const rows = notes.map(({ creditNoteId, refunded, settledAt }) => ({
    creditNoteId,
    refunded,
    settledAt: time(settledAt),
  }));
  return sql`update credit_notes set refunded = r.refunded, settled_at = r."settledAt"
    from ${rowsOf(rows, '"creditNoteId" text, refunded bigint, "settledAt" timestamptz')}
    where credit_note_id = r."creditNoteId" returning 1`;
}

function upsertShipments(order: OrderRecord, fulfillments: FulfillmentRecord[]) {
  const rows = fulfillments.flatMap(({ id, shipment }) =>
    shipment
      ? [
          {
            ...shipment,
            id,
            bookedAt: time(shipment.bookedAt),
            dispatchedAt: time(shipment.dispatchedAt),
            endedAt: time(shipment.endedAt),
          },
        ]
      : [],
  );
  const columns = `id text, status text, carrier text, "bookingReference" text, "trackingNumber" text,
    service text, "quotedPrice" bigint, "failedAttempts" int, "bookedAt" timestamptz, "dispatchedAt" timestamptz, "endedAt" timestamptz`;
  return sql`insert into shipments (shipment_id, order_id, status, carrier, booking_reference, tracking_number,
      service, quoted_price, failed_attempts, booked_at, dispatched_at, ended_at)
    select r.id, ${order.orderId}, r.status, r.carrier, r."bookingReference", r."trackingNumber", r.service,
      r."quotedPrice", r."failedAttempts", r."bookedAt", r."dispatchedAt", r."endedAt" from ${rowsOf(rows, columns)}
    on conflict (shipment_id) do update set status = excluded.status, carrier = excluded.carrier,
      booking_reference = excluded.booking_reference, tracking_number = excluded.tracking_number,
      service = excluded.service, quoted_price = excluded.quoted_price, failed_attempts = excluded.failed_attempts,
      booked_at = excluded.booked_at, dispatched_at = excluded.dispatched_at, ended_at = excluded.ended_at,
      updated_at = now()
    returning 1`;
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
