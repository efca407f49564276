/** What is to be paid. */
export interface ChargeRequest {
  /** What is being paid: the fulfillment's id, never the attempt's. */
  key: string;
  customerId: string;
  /** ISO 4217 */
  currency: string;
  /** Minor units. */
  amount: number;
}

export type ChargeOutcome =
  | { status: 'approved'; reference: string; authCode: string }
  | { status: 'declined'; reference: string; reason: string };

export interface CaptureRequest {
  key: string;
  /** Minor units, at most what was authorized; the rest of the authorization is let go. */
  amount: number;
}

export type CaptureOutcome = { status: 'captured'; amount: number } | { status: 'declined'; reason: string };

export interface RefundRequest {
  key: string;
  /** What is being given back: the credit note's id, never the attempt's. */
  refundKey: string;
  /** Minor units. */
  amount: number;
  /** For people. */
  reason: string;
}

/** All a provider knows of a key. Amounts in minor units. */
export interface PaymentState {
  /** `authorized`: held, not taken. `captured`: taken. `voided`: let go. `declined`: refused, also at the capture. */
  status: 'authorized' | 'captured' | 'voided' | 'declined';
  /** Asked for at first. */
  amount: number;
  captured: number;
  refunded: number;
  reference: string;
  authCode: string | null;
  /** Why it was declined or voided. */
  reason: string | null;
}

/**
 * The company that takes the customer's money. One adapter a provider; test/providers holds what each must keep to.
 * Every call throws OMS_PAYMENT_UNAVAILABLE when its outcome is unknown, and may then be made again as it is; and
 * OMS_PAYMENT_REFUSED, having done nothing, for a request that can never be carried out.
 */
export interface PaymentProvider {
  /** Authorizes and captures at once, once for each key: the same key again gets the first outcome, whatever else it says. */
  charge(request: ChargeRequest): Promise<ChargeOutcome>;
  /** Holds the money, once for each key. A key that was voided since is declined. */
  authorize(request: ChargeRequest): Promise<ChargeOutcome>;
  /** Takes money that is held, once: the same key again gets the first outcome. What is not held is declined. */
  capture(request: CaptureRequest): Promise<CaptureOutcome>;
  /**
   * Lets go whatever is not captured; idempotent. A key never seen is tombstoned: a charge or authorization that arrives
   * later is declined. Nothing happens to what is captured or declined.
   */
  void(key: string, reason: string): Promise<void>;
  /** Gives captured money back, once for each `refundKey`. All refunds of a key together never exceed what was captured. */
  refund(request: RefundRequest): Promise<void>;
  /** All that is known of a key, null when the provider has never seen it. */
  get(key: string): Promise<PaymentState | null>;
}
