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

/** The company that takes the customer's money. One adapter a provider; test/providers holds what each must keep to. */
export interface PaymentProvider {
  /**
   * Takes the money, once for each key: the same key again gets the first outcome, whatever else the request says.
   * @throws OmsError OMS_PAYMENT_UNAVAILABLE when the outcome is unknown: the money may have been taken
   */
  charge(request: ChargeRequest): Promise<ChargeOutcome>;
  /**
   * The outcome of a key, null when the provider has never seen it. A refunded charge still reads as approved.
   * @throws OmsError OMS_PAYMENT_UNAVAILABLE when the provider cannot tell now
   */
  get(key: string): Promise<ChargeOutcome | null>;
  /**
   * Gives an approved charge back in full; idempotent by `key`. A key never seen is tombstoned: a charge that arrives
   * later is declined. Nothing happens to a declined one.
   * @throws OmsError OMS_PAYMENT_UNAVAILABLE when it is unknown whether it was done; asking again is safe
   */
  refund(key: string, reason: string): Promise<void>;
}
