import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { PaymentFault } from '../../platform/config/settings.ts';
import { createFaults } from '../faults.ts';
import { createSimulatedCall, mark } from '../simulation.ts';
import type { ChargeOutcome, ChargeRequest, PaymentProvider } from './port.ts';

export interface PaymentSimulatorOptions {
  /** The provider's own memory: transactions here are never part of ours. */
  db: Database;
  latencyMs: number;
  faults: readonly FaultRule<PaymentFault>[];
}

interface Charge {
  status: string;
  reference: string;
  auth_code: string | null;
  decline_reason: string | null;
}

/**
 * A payment company made up for trials and tests. It remembers every charge in the database, and logs every call that
 * reached it: an audit finds at most one `approved` a key.
 */
export function createPaymentSimulator({ db, latencyMs, faults: rules }: PaymentSimulatorOptions): PaymentProvider {
  const faults = createFaults(rules);
  const call = createSimulatedCall({ provider: 'payment', unavailable: 'OMS_PAYMENT_UNAVAILABLE', latencyMs, faults });
  return {
    charge: (request) => call('charge', request.key, () => charge(db, request, faults.strikes('decline', request.key))),
    get: (key) => call('get', key, () => get(db, key)),
    refund: (key, reason) => call('refund', key, () => refund(db, key, reason)),
  };
}

/** Intent, outcome and call log in one statement; the key decides which of two calls at the same time comes first. */
async function charge(db: Database, request: ChargeRequest, declined: boolean): Promise<ChargeOutcome> {
  const { key, customerId, currency, amount } = request;
  const [status, authCode, reason] = declined
    ? ['declined', null, 'insufficient funds']
    : ['approved', mark(key, 6), null];
  const { rows } = await sql<Charge>`
    with charge as (
      insert into simulated_charges (key, customer_id, currency, amount, status, reference, auth_code, decline_reason)
      values (${key}, ${customerId}, ${currency}, ${amount}, ${status}, ${`ch_${mark(key, 16)}`}, ${authCode}, ${reason})
      on conflict (key) do update set key = excluded.key
      returning *, xmax = 0 as fresh
    ), log as (
      insert into simulated_calls (provider, operation, key, outcome)
      select 'payment', 'charge', key, case when fresh then status else 'repeat' end from charge
    )
    select status, reference, auth_code, decline_reason from charge`.execute(db);
  return outcomeOf(rows[0]);
}

async function get(db: Database, key: string): Promise<ChargeOutcome | null> {
  const row = await db
    .selectFrom('simulated_charges')
    .select(['status', 'reference', 'auth_code', 'decline_reason'])
    .where('key', '=', key)
    .executeTakeFirst();
  return row ? outcomeOf(row) : null;
}

/** A key never seen becomes a declined charge of nothing (currency XXX: none), so that a late charge finds it. */
async function refund(db: Database, key: string, reason: string): Promise<void> {
  await sql`
    with charge as (
      insert into simulated_charges as c (key, customer_id, currency, amount, status, reference, decline_reason)
      values (${key}, '', 'XXX', 0, 'declined', ${`ch_${mark(key, 16)}`}, ${`called off: ${reason}`})
      on conflict (key) do update set refunded = case c.status when 'approved' then c.amount else 0 end
      returning key, status, xmax = 0 as fresh
    )
    insert into simulated_calls (provider, operation, key, outcome)
    select 'payment', 'refund', key, case when fresh then 'tombstone' when status = 'approved' then 'refunded' else 'nothing' end
    from charge`.execute(db);
}

function outcomeOf(row: Charge | undefined): ChargeOutcome {
  if (!row) throw new Error('the charge was neither written nor found');
  const { reference } = row;
  return row.status === 'approved'
    ? { status: 'approved', reference, authCode: row.auth_code ?? '' }
    : { status: 'declined', reference, reason: row.decline_reason ?? '' };
}
