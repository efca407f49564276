import { sql } from 'kysely';
import { transaction } from '../../database/database.ts';
import { OmsError } from '../../domain/errors.ts';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { PaymentFault } from '../../platform/config/settings.ts';
import { createFaults, createSimulatedCall, mark } from '../simulation.ts';
import type { SimulatorDatabase } from '../tables.ts';
import type {
  CaptureOutcome,
  CaptureRequest,
  ChargeOutcome,
  ChargeRequest,
  PaymentProvider,
  PaymentState,
  RefundRequest,
} from './port.ts';

export interface PaymentSimulatorOptions {
  /** The provider's own memory: transactions here are never part of ours. */
  db: SimulatorDatabase;
  latencyMs: number;
  faults: readonly FaultRule<PaymentFault>[];
}

interface Charge {
  status: PaymentState['status'];
  reference: string;
  auth_code: string | null;
  decline_reason: string | null;
}

/**
 * A payment company made up for trials and tests. It remembers every payment in the database, and logs every call that
 * reached it: an audit finds at most one `approved` or `authorized`, one `captured` and one `refunded` a key.
 */
export function createPaymentSimulator({ db, latencyMs, faults: rules }: PaymentSimulatorOptions): PaymentProvider {
  const faults = createFaults(rules);
  const call = createSimulatedCall({ provider: 'payment', unavailable: 'OMS_PAYMENT_UNAVAILABLE', latencyMs, faults });
  const declines = (key: string): boolean => faults.strikes('decline', key);
  return {
    charge: (request) => call('charge', request.key, () => take(db, 'charge', request, declines(request.key))),
    authorize: (request) => call('authorize', request.key, () => take(db, 'authorize', request, declines(request.key))),
    capture: (request) =>
      call('capture', request.key, () => capture(db, request, faults.strikes('declineCapture', request.key))),
    void: (key, reason) => call('void', key, () => letGo(db, key, reason)),
    refund: (request) => call('refund', request.key, () => refund(db, request)),
    get: (key) => call('get', key, () => get(db, key)),
  };
}

/** Intent, outcome and call log in one statement; the key decides which of two calls at the same time comes first. */
async function take(
  db: SimulatorDatabase,
  operation: 'charge' | 'authorize',
  { key, customerId, currency, amount }: ChargeRequest,
  declined: boolean,
): Promise<ChargeOutcome> {
  const approved = operation === 'charge' ? 'captured' : 'authorized';
  const captured = operation === 'charge' && !declined ? amount : 0;
  const [status, authCode, reason] = declined
    ? ['declined', null, 'insufficient funds']
    : [approved, mark(key, 6), null];
  const { rows } = await sql<Charge>`
    with charge as (
      insert into simulated_charges
        (key, customer_id, currency, amount, captured, status, reference, auth_code, decline_reason)
      values (${key}, ${customerId}, ${currency}, ${amount}, ${captured}, ${status}, ${`ch_${mark(key, 16)}`},
        ${authCode}, ${reason})
      on conflict (key) do update set key = excluded.key
      returning *, xmax = 0 as fresh
    ), log as (
      insert into simulated_calls (provider, operation, key, outcome)
      select 'payment', ${operation}, key,
        case when not fresh then 'repeat' when status = 'captured' then 'approved' else status end from charge
    )
    select status, reference, auth_code, decline_reason from charge`.execute(db);
  return outcomeOf(rows[0]);
}

/** The row is locked while it is decided: what is taken, and what is given back, never depends on who comes first. */
function capture(db: SimulatorDatabase, { key, amount }: CaptureRequest, declined: boolean): Promise<CaptureOutcome> {
  return transaction(db, async (tx) => {
    const held = await locked(tx, key);
    if (!held) return { status: 'declined', reason: 'nothing is known of this payment' };
    if (held.status === 'captured') {
      await log(tx, 'capture', key, 'repeat');
      return { status: 'captured', amount: held.captured };
    }
    if (held.status !== 'authorized') return { status: 'declined', reason: held.decline_reason ?? held.status };
    if (amount > held.amount) throw refused(`capture of ${amount}: only ${held.amount} is authorized for ${key}`);
    const reason = 'the card was closed';
    const change = declined ? { status: 'declined', decline_reason: reason } : { status: 'captured', captured: amount };
    await tx.updateTable('simulated_charges').set(change).where('key', '=', key).execute();
    await log(tx, 'capture', key, change.status);
    return declined ? { status: 'declined', reason } : { status: 'captured', amount };
  });
}

/** A key never seen becomes a voided payment of nothing (currency XXX: none), so that a late charge finds it. */
async function letGo(db: SimulatorDatabase, key: string, reason: string): Promise<void> {
  await sql`
    with charge as (
      insert into simulated_charges as c (key, customer_id, currency, amount, status, reference, decline_reason)
      values (${key}, '', 'XXX', 0, 'voided', ${`ch_${mark(key, 16)}`}, ${`called off: ${reason}`})
      on conflict (key) do update set
        decline_reason = case c.status when 'authorized' then excluded.decline_reason else c.decline_reason end,
        status = case c.status when 'authorized' then 'voided' else c.status end
      returning key, status, xmax = 0 as fresh
    )
    insert into simulated_calls (provider, operation, key, outcome)
    select 'payment', 'void', key, case when fresh then 'tombstone' when status = 'voided' then 'voided' else 'nothing' end
    from charge`.execute(db);
}

function refund(db: SimulatorDatabase, { key, refundKey, amount, reason }: RefundRequest): Promise<void> {
  return transaction(db, async (tx) => {
    const held = await locked(tx, key);
    const known = tx.selectFrom('simulated_refunds').select('key').where('refund_key', '=', refundKey);
    if (await known.executeTakeFirst()) return log(tx, 'refund', key, 'repeat');
    if (!held || held.refunded + amount > held.captured) {
      throw refused(`refund of ${amount}: ${key} has ${held ? held.captured - held.refunded : 0} left`);
    }
    await tx.insertInto('simulated_refunds').values({ refund_key: refundKey, key, amount, reason }).execute();
    const refunded = held.refunded + amount;
    await tx.updateTable('simulated_charges').set({ refunded }).where('key', '=', key).execute();
    await log(tx, 'refund', key, 'refunded');
  });
}

const locked = (tx: SimulatorDatabase, key: string) =>
  tx.selectFrom('simulated_charges').selectAll().where('key', '=', key).forUpdate().executeTakeFirst();

async function log(tx: SimulatorDatabase, operation: string, key: string, outcome: string): Promise<void> {
  await tx.insertInto('simulated_calls').values({ provider: 'payment', operation, key, outcome }).execute();
}

const refused = (message: string): OmsError => new OmsError('OMS_PAYMENT_REFUSED', `simulated payment: ${message}`);

async function get(db: SimulatorDatabase, key: string): Promise<PaymentState | null> {
  const row = await db.selectFrom('simulated_charges').selectAll().where('key', '=', key).executeTakeFirst();
  if (!row) return null;
  const { amount, captured, refunded, reference } = row;
  const status = row.status as PaymentState['status'];
  return { status, amount, captured, refunded, reference, authCode: row.auth_code, reason: row.decline_reason };
}

function outcomeOf(row: Charge | undefined): ChargeOutcome {
  if (!row) throw new Error('the charge was neither written nor found');
  const { reference } = row;
  return row.auth_code !== null && row.status !== 'voided'
    ? { status: 'approved', reference, authCode: row.auth_code }
    : { status: 'declined', reference, reason: row.decline_reason ?? row.status };
}
