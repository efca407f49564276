import { sql } from 'kysely';
import { paymentStatus, sqlState, transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import type { PaymentsTable } from '../../database/tables/money.ts';
import { OmsError } from '../../domain/errors.ts';
import type { InvoiceTotals, Pricing, PricingRules } from '../../domain/invoice.ts';
import { REASON_FORMS } from '../../domain/reasons.ts';
import { openPricer } from './pricer.ts';
import { CREDIT_NOTES, INVOICES, IN_MAINTENANCE, documentId, numberInvoices, takeNumbers } from './series.ts';
import { giveBack, isMaintenance } from './spend.ts';

/** Something to be charged outside of any order. */
export interface WantedCharge {
  /** Each id is charged once. It names the payment, too. */
  id: string;
  /** What the caller names it by. */
  reference: string;
  customerId: string;
  currency: string;
  items: readonly { sku: string; quantity: number }[];
}

/** A charge as it stands. Amounts in minor units. */
export interface Charge {
  id: string;
  reference: string;
  customerId: string;
  currency: string;
  invoiceId: string;
  subTotal: number;
  tax: number;
  shipping: number;
  total: number;
  /** `pending` = the provider is to be asked, or was asked and has not answered. */
  status: PaymentsTable['status'];
  authCode: string | null;
  declineReason: string | null;
}

/** What came of a charge at the payment provider. */
export type ChargeEnd =
  | { status: 'success'; reference: string | null; authCode: string | null }
  | { status: 'failed' | 'voided'; reference: string | null; reason: string };

/**
 * Draws the invoice of a charge, decides about the customer's limit and writes down the intent to charge: once for each
 * id. A repeat gets the charge as it stands, whatever else it says.
 * @throws OmsError OMS_PAYMENT_MAINTENANCE when something is to be charged, and nothing may be now; OMS_PRICE_MISSING,
 *   OMS_MONEY_OVERFLOW: then nothing has happened
 */
export async function beginCharge(db: Database, rules: PricingRules, wanted: WantedCharge): Promise<Charge> {
  try {
    const charge = await transaction(db, async (tx) => {
      if (await claim(tx, wanted)) await draw(tx, rules, wanted);
      return existingCharge(tx, wanted.id);
    });
    if (charge.status === 'pending' && (await isMaintenance(db))) throw inMaintenance();
    return charge;
  } catch (error) {
    throw sqlState(error) === IN_MAINTENANCE ? inMaintenance() : error;
  }
}

const inMaintenance = (): OmsError =>
  new OmsError('OMS_PAYMENT_MAINTENANCE', 'payments are held by maintenance mode: ask again when it has ended');

/** Of two at the same time the second waits here for the first. */
async function claim(tx: Database, { id, reference }: WantedCharge): Promise<boolean> {
  const claimed = await tx
    .insertInto('charges')
    .values({ charge_id: id, reference })
    .onConflict((conflict) => conflict.doNothing())
    .returning('charge_id')
    .execute();
  return claimed.length > 0;
}

async function draw(tx: Database, rules: PricingRules, wanted: WantedCharge): Promise<void> {
  const { id, customerId, currency } = wanted;
  const items = wanted.items.map((item, i) => ({ ...item, line: i + 1, unitPrice: null }));
  const pricer = await openPricer(tx, rules, { currency, country: null, items });
  const { totals, pricing } = pricer.price(items);
  const asked = [{ id, amount: totals.total }];
  const [numbered] = await numberInvoices(tx, { orderId: id, customerId, currency }, asked);
  const { number = 0, approved = false } = numbered ?? {};
  await insertInvoice(tx, wanted, { number, totals, pricing });
  const amount = totals.total;
  await tx
    .insertInto('payments')
    .values({ fulfillment_id: id, order_id: id, status: 'pending', mode: 'charge', currency, amount })
    .execute();
  if (!approved)
    await endCharge(tx, id, { status: 'failed', reference: null, reason: REASON_FORMS.overLimit(amount, currency) });
}

async function insertInvoice(
  tx: Database,
  { id, customerId, currency }: WantedCharge,
  { number, totals, pricing }: { number: number; totals: InvoiceTotals; pricing: Pricing },
): Promise<void> {
  const { lines, subTotal, tax, shipping, total } = totals;
  const named = { invoice_id: documentId(INVOICES, number), series: INVOICES, number };
  const whose = { fulfillment_id: id, order_id: id, customer_id: customerId, currency };
  const amounts = { sub_total: subTotal, tax, shipping, total };
  const drawn = { lines: JSON.stringify(lines), pricing: JSON.stringify(pricing) };
  await tx
    .insertInto('invoices')
    .values({ ...named, ...whose, ...amounts, ...drawn })
    .execute();
}

/**
 * Records what came of a charge, once: of one that has ended nothing changes any more. What was not paid is credited in
 * full, and no longer counts as spent.
 */
export function settleCharge(db: Database, id: string, end: ChargeEnd): Promise<Charge> {
  return transaction(db, async (tx) => {
    await endCharge(tx, id, end);
    return existingCharge(tx, id);
  });
}

async function endCharge(tx: Database, id: string, end: ChargeEnd): Promise<void> {
  const outcome =
    end.status === 'success'
      ? { captured: sql<number>`amount`, auth_code: end.authCode }
      : { decline_reason: end.reason };
  const { numUpdatedRows } = await tx
    .updateTable('payments')
    .set({ status: end.status, reference: end.reference, settled_at: sql<Date>`now()`, ...outcome })
    .where('fulfillment_id', '=', id)
    .where('status', '=', 'pending')
    .executeTakeFirst();
  if (numUpdatedRows > 0n && end.status !== 'success') await credit(tx, id, end.reason);
}

/** A credit note over the whole invoice; settled, since no money was taken. */
async function credit(tx: Database, id: string, reason: string): Promise<void> {
  const { total } = await existingCharge(tx, id);
  if (total === 0) return;
  await giveBack(tx, [{ id, total }]);
  const number = await takeNumbers(tx, CREDIT_NOTES, 1);
  await sql`
    insert into credit_notes (credit_note_id, series, number, invoice_id, fulfillment_id, order_id, customer_id, currency,
      sub_total, tax, shipping, total, lines, reason, settled_at)
    select ${documentId(CREDIT_NOTES, number)}, ${CREDIT_NOTES}, ${number}, invoice_id, fulfillment_id, order_id,
      customer_id, currency, sub_total, tax, shipping, total, lines, ${reason}, now()
    from invoices where fulfillment_id = ${id}`.execute(tx);
}

async function existingCharge(db: Database, id: string): Promise<Charge> {
  const { rows } = await sql<Charge>`
    select c.charge_id as id, c.reference, i.customer_id as "customerId", i.currency::text as currency,
      i.invoice_id as "invoiceId", i.sub_total as "subTotal", i.tax, i.shipping, i.total, p.status,
      p.auth_code as "authCode", p.decline_reason as "declineReason"
    from charges c join invoices i on i.fulfillment_id = c.charge_id
    join payments p on p.fulfillment_id = c.charge_id
    where c.charge_id = ${id}`.execute(db);
  const [charge] = rows;
  if (!charge) throw new Error(`charge ${id} has no invoice or payment`);
  return charge;
}

/** Charges without an outcome that were begun longer than `ms` ago, oldest first. */
export async function unsettledCharges(db: Database, ms: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select c.charge_id as id from payments p join charges c on c.charge_id = p.fulfillment_id
    where p.status = ${paymentStatus('pending')} and p.requested_at < now() - make_interval(secs => ${ms / 1_000})
    order by p.requested_at limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}
