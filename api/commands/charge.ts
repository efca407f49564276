import type { Database } from '../../database/database.ts';
import type { PricingRules } from '../../domain/invoice.ts';
import { REASONS } from '../../domain/reasons.ts';
import { beginCharge, settleCharge, unsettledCharges } from '../../orders/money/charges.ts';
import type { Charge, ChargeEnd, WantedCharge } from '../../orders/money/charges.ts';
import { isMaintenance } from '../../orders/money/spend.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ChargeOutcome, PaymentProvider } from '../../providers/payment/port.ts';

export interface ChargeDependencies {
  db: Database;
  payment: PaymentProvider;
  pricing: PricingRules;
}

/**
 * Charges a customer outside of any order, once for each id: invoice, limit and intent are written before the provider is
 * asked, so a repeat goes on where the last attempt ended, and gets the same result for ever after.
 * @throws OmsError OMS_PAYMENT_UNAVAILABLE when the outcome is unknown: a repeat resumes, or `settleCharges` does;
 *   OMS_PAYMENT_MAINTENANCE, OMS_PRICE_MISSING, OMS_MONEY_OVERFLOW
 */
export async function charge({ db, payment, pricing }: ChargeDependencies, wanted: WantedCharge): Promise<Charge> {
  const begun = await beginCharge(db, pricing, wanted);
  if (begun.status !== 'pending') return begun;
  const { id: key, customerId, currency, total: amount } = begun;
  return settleCharge(db, key, endOf(await payment.charge({ key, customerId, currency, amount })));
}

function endOf(outcome: ChargeOutcome): ChargeEnd {
  const { reference } = outcome;
  return outcome.status === 'approved'
    ? { status: 'success', reference, authCode: outcome.authCode }
    : { status: 'failed', reference, reason: outcome.reason };
}

/** Most charges settled in one go. */
const BATCH = 100;
const LEFT_OPEN = REASONS.chargeLeftOpen;

/**
 * Settles charges nobody has asked about for `ms`: the provider is asked, having been told that what it has not taken by
 * then is off, so that its answer cannot change any more. One it does not answer about waits. Returns how many ended.
 */
export async function settleCharges(
  { db, payment, logger }: Omit<ChargeDependencies, 'pricing'> & { logger: Logger },
  ms: number,
): Promise<number> {
  if (await isMaintenance(db)) return 0;
  let settled = 0;
  for (const id of await unsettledCharges(db, ms, BATCH)) {
    try {
      await settleCharge(db, id, await finalEnd(payment, id));
      settled++;
    } catch (err) {
      logger.warn({ err, chargeId: id }, 'charge not settled, later');
    }
  }
  return settled;
}

async function finalEnd(payment: PaymentProvider, id: string): Promise<ChargeEnd> {
  await payment.void(id, LEFT_OPEN);
  const state = await payment.get(id);
  if (state?.status === 'captured') return { status: 'success', reference: state.reference, authCode: state.authCode };
  const status = state?.status === 'declined' ? 'failed' : 'voided';
  return { status, reference: state?.reference ?? null, reason: state?.reason ?? LEFT_OPEN };
}
