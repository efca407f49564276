import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { InvoiceLine, Pricing } from '../../domain/invoice.ts';
import type { Address } from '../../domain/order.ts';
import type { PaymentStatus } from '../../domain/status.ts';
import type { Database } from '../database.ts';
import { all, pageOf } from './cursor.ts';
import type { Cursor, Page } from './cursor.ts';

/** Minor units of the currency beside them. */
interface Amounts {
  currency: string;
  subTotal: number;
  tax: number;
  shipping: number;
  total: number;
}

/** An invoice in a list. */
export interface ListedInvoice extends Amounts {
  invoiceId: string;
  fulfillmentId: string;
  orderId: string;
  customerId: string;
  issuedAt: Date;
  /** Null before the payment was begun. */
  paymentStatus: PaymentStatus | null;
  /** In all, by credit notes. */
  credited: number;
}

/** What happened to the money of an invoice. */
export interface InvoicePayment {
  status: PaymentStatus;
  mode: string;
  amount: number;
  captured: number;
  refunded: number;
  reference: string | null;
  authCode: string | null;
  declineReason: string | null;
  settledAt: Date | null;
}

export interface CreditNoteView extends Amounts {
  creditNoteId: string;
  invoiceId: string;
  fulfillmentId: string;
  orderId: string;
  customerId: string;
  lines: InvoiceLine[];
  reason: string;
  refunded: number;
  issuedAt: Date;
  settledAt: Date | null;
}

/** A line as people read it, with what upstream calls the thing. */
export type DescribedLine = InvoiceLine & { description: string | null };

/** An invoice with all that belongs to it. */
export interface InvoiceView extends ListedInvoice {
  shipTo: Address | null;
  lines: DescribedLine[];
  pricing: Pricing;
  payment: InvoicePayment | null;
  creditNotes: CreditNoteView[];
}

export interface InvoiceFilter {
  customerId?: string;
  orderId?: string;
  /** Issued at or after, ms since the epoch. */
  from?: number;
  /** Issued before. */
  to?: number;
}

type Sql = RawBuilder<unknown>;

const COLUMNS = sql`i.invoice_id as "invoiceId", i.fulfillment_id as "fulfillmentId", i.order_id as "orderId",
  i.customer_id as "customerId", i.currency::text as currency, i.sub_total as "subTotal", i.tax, i.shipping, i.total,
  i.issued_at as "issuedAt", p.status as "paymentStatus",
  (select coalesce(sum(c.total), 0)::bigint from credit_notes c where c.fulfillment_id = i.fulfillment_id) as credited`;

/** Invoices, newest first. */
export async function listInvoices(
  db: Database,
  { customerId, orderId, from, to }: InvoiceFilter,
  { after, limit }: { after?: Cursor | undefined; limit: number },
): Promise<Page<ListedInvoice>> {
  const conditions: Sql[] = [
    ...(customerId === undefined ? [] : [sql`i.customer_id = ${customerId}`]),
    ...(orderId === undefined ? [] : [sql`i.order_id = ${orderId}`]),
    ...(from === undefined ? [] : [sql`i.issued_at >= ${new Date(from)}`]),
    ...(to === undefined ? [] : [sql`i.issued_at < ${new Date(to)}`]),
    ...(after ? [sql`(i.issued_at, i.invoice_id) < (${new Date(after.at)}, ${after.id})`] : []),
  ];
  const { rows } = await sql<ListedInvoice>`
    select ${COLUMNS} from invoices i left join payments p on p.fulfillment_id = i.fulfillment_id
    where ${all(conditions)} order by i.issued_at desc, i.invoice_id desc limit ${limit + 1}
  `.execute(db);
  return pageOf(rows, limit, ({ issuedAt, invoiceId }) => ({ at: issuedAt.getTime(), id: invoiceId }));
}

interface InvoiceRow extends ListedInvoice {
  shipTo: Address | null;
  lines: InvoiceLine[];
  pricing: Pricing;
  payment: (Omit<InvoicePayment, 'settledAt'> & { settledAt: string | null }) | null;
}

/** One invoice; undefined when there is none. */
export async function readInvoice(db: Database, invoiceId: string): Promise<InvoiceView | undefined> {
  const { rows } = await sql<InvoiceRow>`
    select ${COLUMNS}, o.ship_to as "shipTo", i.lines, i.pricing,
      case when p.fulfillment_id is not null then json_build_object('status', p.status, 'mode', p.mode,
        'amount', p.amount, 'captured', p.captured, 'refunded', p.refunded, 'reference', p.reference,
        'authCode', p.auth_code, 'declineReason', p.decline_reason, 'settledAt', p.settled_at) end as payment
    from invoices i left join payments p on p.fulfillment_id = i.fulfillment_id
    left join orders o on o.order_id = i.order_id
    where i.invoice_id = ${invoiceId}
  `.execute(db);
  const [row] = rows;
  if (!row) return undefined;
  const [creditNotes, lines] = await Promise.all([
    readNotes(db, sql`where c.fulfillment_id = ${row.fulfillmentId} order by c.number`),
    described(db, row.orderId, row.lines),
  ]);
  const payment = row.payment && { ...row.payment, settledAt: dateOf(row.payment.settledAt) };
  return { ...row, lines, payment, creditNotes };
}

async function described(db: Database, orderId: string, lines: InvoiceLine[]): Promise<DescribedLine[]> {
  const items = await db
    .selectFrom('order_items')
    .select(['line', 'description'])
    .where('order_id', '=', orderId)
    .where('description', 'is not', null)
    .execute();
  const descriptions = new Map(items.map(({ line, description }) => [line, description]));
  return lines.map((line) => ({ ...line, description: descriptions.get(line.line) ?? null }));
}

const dateOf = (time: string | null): Date | null => (time === null ? null : new Date(time));

async function readNotes(db: Database, which: Sql): Promise<CreditNoteView[]> {
  const { rows } = await sql<CreditNoteView>`
    select c.credit_note_id as "creditNoteId", c.invoice_id as "invoiceId", c.fulfillment_id as "fulfillmentId",
      c.order_id as "orderId", c.customer_id as "customerId", c.currency::text as currency, c.sub_total as "subTotal",
      c.tax, c.shipping, c.total, c.lines, c.reason, c.refunded, c.issued_at as "issuedAt", c.settled_at as "settledAt",
      c.number
    from credit_notes c ${which}
  `.execute(db);
  return rows;
}

/** A credit note as a document of its own. */
export interface CreditNoteDocument extends CreditNoteView {
  shipTo: Address | null;
  lines: DescribedLine[];
}

/** One credit note; undefined when there is none. */
export async function readCreditNote(db: Database, creditNoteId: string): Promise<CreditNoteDocument | undefined> {
  const [note] = await readNotes(db, sql`where c.credit_note_id = ${creditNoteId}`);
  if (!note) return undefined;
  const orders = db.selectFrom('orders').select('ship_to').where('order_id', '=', note.orderId);
  const shipTo = (await orders.executeTakeFirst())?.ship_to ?? null;
  return { ...note, shipTo, lines: await described(db, note.orderId, note.lines) };
}

/** Credit notes, newest number first. All are of one series, so numbers tell the order they were drawn in. */
export async function listCreditNotes(
  db: Database,
  series: string,
  { orderId, invoiceId }: { orderId?: string; invoiceId?: string },
  { after, limit }: { after?: Cursor | undefined; limit: number },
): Promise<Page<CreditNoteView>> {
  const conditions: Sql[] = [
    sql`c.series = ${series}`,
    ...(orderId === undefined
      ? []
      : [sql`c.fulfillment_id in (select fulfillment_id from fulfillments where order_id = ${orderId})`]),
    ...(invoiceId === undefined
      ? []
      : [sql`c.fulfillment_id in (select fulfillment_id from invoices where invoice_id = ${invoiceId})`]),
    ...(after ? [sql`c.number < ${after.at}::bigint`] : []),
  ];
  const which = sql`where ${all(conditions)} order by c.number desc limit ${limit + 1}`;
  const rows = (await readNotes(db, which)) as (CreditNoteView & { number: number })[];
  return pageOf(rows, limit, ({ number, creditNoteId }) => ({ at: number, id: creditNoteId }));
}
