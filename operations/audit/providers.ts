import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import type { Database } from '../../database/database.ts';
import { isOmsError } from '../../domain/errors.ts';
import { AUDIT_CALL } from '../../domain/provider-policies.ts';
import type { PaymentStatus, ShipmentStatus } from '../../domain/status.ts';
import type { CarrierProvider, TrackedStatus } from '../../providers/carrier/port.ts';
import type { PaymentProvider, PaymentState } from '../../providers/payment/port.ts';
import type { AuditCode, Difference, OrderCheck, WholeCheck } from './difference.ts';

export interface ProviderCheckOptions {
  db: Database;
  payment: Pick<PaymentProvider, 'get'>;
  carrier: Pick<CarrierProvider, 'track'>;
}

/** Few enough to leave the providers to the orders. */
const CALLS_AT_ONCE = 16;

interface Row {
  /** Null on a charge outside of orders. */
  orderId: string | null;
  id: string;
  payment: PaymentStatus | null;
  amount: number;
  captured: number;
  refunded: number;
  isGivenUp: boolean;
  isHandedOver: boolean;
  openNotes: number;
  shipment: ShipmentStatus | null;
  bookingReference: string | null;
}

/** Payments and shipments ↔ the providers' records, through their ports. What is being settled just now is left out. */
export function providerCheck(options: ProviderCheckOptions): OrderCheck {
  const limiter = pLimit(CALLS_AT_ONCE);
  return async (orderIds) => {
    const rows = await partsOf(options.db, orderIds);
    const asked = rows.flatMap((row) => [
      limiter(async () => judgePayment(row, await asking(() => options.payment.get(row.id)))),
      limiter(async () => judgeShipment(row, await trackingOf(options, row))),
    ]);
    return (await Promise.all(asked)).flat();
  };
}

async function partsOf(db: Database, orderIds: readonly string[]): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select f.order_id as "orderId", f.fulfillment_id as id, p.status as payment, coalesce(p.amount, 0) as amount,
      coalesce(p.captured, 0) as captured, coalesce(p.refunded, 0) as refunded, f.status in ('cancelled', 'failed') as "isGivenUp",
      s.dispatched_at is not null as "isHandedOver", s.status as shipment, s.booking_reference as "bookingReference",
      (select count(*) from credit_notes c where c.fulfillment_id = f.fulfillment_id and c.settled_at is null) as "openNotes"
    from fulfillments f
    left join payments p on p.fulfillment_id = f.fulfillment_id
    left join shipments s on s.shipment_id = f.fulfillment_id
    where f.order_id = any(${[...orderIds]}::text[]) order by f.fulfillment_id
  `.execute(db);
  return rows;
}

const CHARGES_PER_PAGE = 1_000;

/** The same for charges outside of orders. */
export function chargeRecordsCheck({ db, payment }: ProviderCheckOptions): WholeCheck {
  const limiter = pLimit(CALLS_AT_ONCE);
  return async () => {
    const found: Difference[] = [];
    for (let after = ''; ;) {
      const rows = await chargesAfter(db, after);
      const last = rows.at(-1);
      if (!last) return found;
      const judged = rows.map((row) => limiter(async () => judgePayment(row, await asking(() => payment.get(row.id)))));
      found.push(...(await Promise.all(judged)).flat());
      after = last.id;
    }
  };
}

/** A charge is a payment that nothing is shipped for. */
async function chargesAfter(db: Database, after: string): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select null as "orderId", c.charge_id as id, p.status as payment, coalesce(p.amount, 0) as amount,
      coalesce(p.captured, 0) as captured, coalesce(p.refunded, 0) as refunded, false as "isGivenUp",
      false as "isHandedOver", null as shipment, null as "bookingReference", 0 as "openNotes"
    from charges c left join payments p on p.fulfillment_id = c.charge_id
    where c.charge_id > ${after} order by c.charge_id limit ${CHARGES_PER_PAGE}
  `.execute(db);
  return rows;
}

async function asking<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === AUDIT_CALL.attempts || !isOmsError(error) || !error.retryable) throw error;
      await sleep(AUDIT_CALL.firstWaitMs * attempt);
    }
  }
}

const nothing: PaymentState = {
  ...{ status: 'voided', amount: 0, captured: 0, refunded: 0, reference: '', authCode: null, reason: null },
};

function judgePayment(row: Row, known: PaymentState | null): Difference[] {
  const { payment, amount, captured, refunded, openNotes } = row;
  const state = known ?? nothing;
  const theirs = `the provider says ${known ? `${state.status}, ${state.captured} taken, ${state.refunded} given back` : 'nothing'}`;
  const ours = `we say ${payment ?? 'nothing'}, ${captured} taken, ${refunded} given back`;
  const found = (code: AuditCode): Difference[] => [difference(row, code, `${ours}; ${theirs}`)];
  const holds = state.status === 'authorized' || state.captured > 0;
  if (payment === null) return holds ? found('OMS_AUDIT_CHARGE_UNKNOWN') : [];
  if (state.captured > amount || state.refunded > state.captured) return found('OMS_AUDIT_CHARGE_REPEATED');
  switch (payment) {
    // Asked for, and the answer not known: whatever it is, it will be asked for again.
    case 'pending':
      return [];
    case 'authorized':
      if (row.isHandedOver || row.isGivenUp) return [];
      if (known === null) return found('OMS_AUDIT_CHARGE_MISSING');
      return state.status === 'authorized' ? [] : found('OMS_AUDIT_CHARGE_DIFFERS');
    case 'success':
    case 'refunded': {
      if (known === null) return found('OMS_AUDIT_CHARGE_MISSING');
      const isSame = state.captured === captured && (openNotes > 0 || state.refunded === refunded);
      return isSame ? [] : found('OMS_AUDIT_CHARGE_DIFFERS');
    }
    case 'failed':
    case 'voided':
      return holds ? found('OMS_AUDIT_CHARGE_DIFFERS') : [];
  }
}

/** Undefined where the carrier is not asked: nothing was booked at it, or news of the booking came from elsewhere. */
async function trackingOf({ carrier }: ProviderCheckOptions, row: Row): Promise<TrackedStatus | null | undefined> {
  if (row.bookingReference === null || row.shipment === null) return undefined;
  return (await asking(() => carrier.track(row.id)))?.status ?? null;
}

/** Ends that exclude each other; a carrier that is only behind, or ahead, will tell. */
const CONTRADICTIONS: Partial<Record<ShipmentStatus, readonly TrackedStatus[]>> = {
  delivered: ['cancelled', 'returnedToSender'],
  returned: ['cancelled', 'delivered'],
  cancelled: ['dispatched', 'inTransit', 'deliveryFailed', 'delivered', 'returnedToSender'],
};

function judgeShipment(row: Row, theirs: TrackedStatus | null | undefined): Difference[] {
  const { shipment, bookingReference } = row;
  if (shipment === null || theirs === undefined) return [];
  const ours = `we say ${shipment}, booked as ${bookingReference}`;
  if (theirs === null) return [difference(row, 'OMS_AUDIT_BOOKING_MISSING', `${ours}; the carrier knows no booking`)];
  if (!CONTRADICTIONS[shipment]?.includes(theirs)) return [];
  return [difference(row, 'OMS_AUDIT_BOOKING_DIFFERS', `${ours}; the carrier says ${theirs}`)];
}

function difference({ orderId, id }: Row, code: AuditCode, detail: string): Difference {
  return { part: 'providers', code, orderId, subject: id, detail, remedy: null };
}
