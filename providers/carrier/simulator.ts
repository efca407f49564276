import { sql } from 'kysely';
import { transaction } from '../../database/database.ts';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { CarrierFault, CarrierNewsMode } from '../../platform/config/settings.ts';
import { createFaults, createSimulatedCall, mark } from '../simulation.ts';
import type { SimulatorDatabase } from '../tables.ts';
import { isPickedUpByHand, trackByHand } from './by-hand.ts';
import type { BookingOutcome, BookingRequest, CarrierProvider, Quote, TrackedStatus, Tracking } from './port.ts';
import { SIMULATED_CARRIER, tariff } from './tariff.ts';

export interface CarrierSimulatorOptions {
  /** The carrier's own memory: transactions here are never part of ours. */
  db: SimulatorDatabase;
  latencyMs: number;
  /** From booking to pick-up; from then on a booking cannot be called off. */
  pickupMs: number;
  faults: readonly FaultRule<CarrierFault>[];
  /** Whether parcels move by themselves. @default auto */
  news?: CarrierNewsMode;
}

/** What comes of a booking, and when the parcel moves on by itself; null = when somebody says so. */
interface Plan {
  status: 'booked' | 'refused';
  pickupMs: number | null;
}

interface Booking {
  status: string;
  reference: string;
  tracking_number: string;
  service: string | null;
  price: number | null;
}

/**
 * A carrier made up for trials and tests. A booking's row says where the parcel is and what comes next when, so the
 * parcel moves on by time alone; telling of it is the work of `startCarrierClock`.
 */
export function createCarrierSimulator({
  db,
  latencyMs,
  pickupMs,
  faults: rules,
  news = 'auto',
}: CarrierSimulatorOptions): CarrierProvider {
  const faults = createFaults(rules);
  const call = createSimulatedCall({ provider: 'carrier', unavailable: 'OMS_CARRIER_UNAVAILABLE', latencyMs, faults });
  const plan = (key: string): Plan => {
    if (faults.strikes('refuse', key)) return { status: 'refused', pickupMs: null };
    return { status: 'booked', pickupMs: news === 'auto' ? pickupMs : null };
  };
  return {
    quote: (request) => call('quote', request.key, () => quoted(db, request.key, tariff(request))),
    book: (request) => call('book', request.key, () => book(db, request, plan(request.key))),
    cancel: (key) => call('cancel', key, () => cancel(db, key)),
    track: (key) => call('track', key, () => track(db, key)),
  };
}

/** The id of the news that a parcel has come to a status: there is one a status. */
export function updateIdOf(key: string, status: TrackedStatus): string {
  return `${key}/${status}`;
}

async function quoted(db: SimulatorDatabase, key: string, quotes: Quote[]): Promise<Quote[]> {
  await log(db, 'quote', key, quotes.map(({ service, price }) => `${service} ${price}`).join(', '));
  return quotes;
}

/** What was asked of the carrier, and what it came to: nobody may say later that it was otherwise. */
async function log(db: SimulatorDatabase, operation: string, key: string, outcome: string): Promise<void> {
  await db.insertInto('simulated_calls').values({ provider: 'carrier', operation, key, outcome }).execute();
}

/** A repeat finds the row by its key and answers as the first time. */
async function book(
  db: SimulatorDatabase,
  request: BookingRequest,
  { status, pickupMs }: Plan,
): Promise<BookingOutcome> {
  const { key } = request;
  const quotes = tariff(request);
  const chosen = quotes.find(({ service }) => service === request.service) ?? quotes[0];
  const [service, price] = [chosen?.service ?? null, chosen?.price ?? null];
  const reference = `BK-${mark(key, 10)}`;
  const trackingNumber = `SP${mark(`${key} parcel`, 12)}`;
  const next = pickupMs === null ? null : 'dispatched';
  const { rows } = await sql<Booking>`
    with booking as (
      insert into simulated_bookings
        (key, status, reference, tracking_number, next_status, next_at, service, price)
      values (${key}, ${status}, ${reference}, ${trackingNumber}, ${next},
        now() + ${pickupMs}::float8 * interval '1 ms', ${service}, ${price})
      on conflict (key) do nothing
      returning status, reference, tracking_number, service, price
    ), log as (
      insert into simulated_calls (provider, operation, key, outcome)
      select 'carrier', 'book', ${key}, coalesce((select status from booking), 'repeat')
    )
    select * from booking`.execute(db);
  return bookingOf(rows[0] ?? (await find(db, key)));
}

async function find(db: SimulatorDatabase, key: string): Promise<Booking | undefined> {
  return db
    .selectFrom('simulated_bookings')
    .select(['status', 'reference', 'tracking_number', 'service', 'price'])
    .where('key', '=', key)
    .executeTakeFirst();
}

/** A tombstone has no reference: nothing was ever booked. */
function bookingOf(row: Booking | undefined): BookingOutcome {
  if (!row) throw new Error('the booking was neither written nor found');
  if (row.status === 'refused') return { status: 'refused', reason: 'no pick-up possible' };
  if (row.reference === '') return { status: 'refused', reason: 'called off before it was booked' };
  return {
    status: 'booked',
    carrier: SIMULATED_CARRIER,
    reference: row.reference,
    trackingNumber: row.tracking_number,
    service: row.service,
    price: row.price,
  };
}

async function cancel(db: SimulatorDatabase, key: string): Promise<'cancelled' | 'alreadyPickedUp'> {
  return transaction(db, async (tx) => {
    const outcome = (await tombstone(tx, key)) || (await callOff(tx, key)) ? 'cancelled' : 'alreadyPickedUp';
    await log(tx, 'cancel', key, outcome);
    return outcome;
  });
}

/** True when the key was never seen, and is now called off for good. */
async function tombstone(tx: SimulatorDatabase, key: string): Promise<boolean> {
  const inserted = await tx
    .insertInto('simulated_bookings')
    .values({ key, status: 'cancelled', reference: '', tracking_number: '' })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .execute();
  return inserted.length > 0;
}

/**
 * A parcel whose pick-up is due, or that somebody has moved by hand, counts as picked up, told or not: its row may be in
 * the clock's hands, so it is not waited for. The time is looked at again under the row's lock, since the wait for it may have been long.
 */
async function callOff(tx: SimulatorDatabase, key: string): Promise<boolean> {
  const due = sql<boolean>`next_at <= clock_timestamp()`;
  const booking = tx.selectFrom('simulated_bookings').where('key', '=', key);
  const seen = await booking.select(['status', 'next_at', due.as('due')]).executeTakeFirstOrThrow();
  if (seen.status !== 'booked' || seen.due) return isOver(seen.status);
  if (seen.next_at === null && (await isPickedUpByHand(tx, key))) return false;
  await booking.select('key').forUpdate().execute();
  await tx
    .updateTable('simulated_bookings')
    .set({ status: 'cancelled', status_at: sql`clock_timestamp()`, next_status: null, next_at: null })
    .where('key', '=', key)
    .where('status', '=', 'booked')
    .where(sql<boolean>`coalesce(next_at > clock_timestamp(), true)`)
    .execute();
  return isOver((await booking.select('status').executeTakeFirstOrThrow()).status);
}

/** Nothing will be picked up any more. */
function isOver(status: string): boolean {
  return status === 'cancelled' || status === 'refused';
}

/** By the time that is due, not by what has been told so far. */
async function track(db: SimulatorDatabase, key: string): Promise<Tracking | null> {
  const row = await db
    .selectFrom('simulated_bookings')
    .select((eb) => [
      'next_at',
      eb
        .case()
        .when('next_at', '<=', sql<Date>`now()`)
        .then(eb.ref('next_status'))
        .else(eb.ref('status'))
        .end()
        .as('status'),
      eb
        .case()
        .when('next_at', '<=', sql<Date>`now()`)
        .then(eb.ref('next_at'))
        .else(eb.ref('status_at'))
        .end()
        .as('at'),
    ])
    .where('key', '=', key)
    .where('status', '<>', 'refused')
    .executeTakeFirst();
  if (!row?.status || !row.at) return null;
  const status = row.status as TrackedStatus;
  const told = status === 'booked' && row.next_at === null ? await trackByHand(db, key) : null;
  return told ?? { status, updateId: updateIdOf(key, status), at: row.at.getTime() };
}
