/**
 * Why something came to its end or will not be done, as `reason` says it on events, in the database and over HTTP. A code
 * of the error table stands first where there is one. Programs compare these texts: they are never changed (test/frozen).
 */
export const REASONS = {
  cancelled: 'cancelled',
  cancelledByCustomer: 'cancelled by the customer',
  cancelledInTemporal: 'cancelled by an operator in Temporal',
  cancelledAfterLostRun: 'cancelled by an operator after its run was lost',
  givenUpAfterLostRun: 'given up by an operator after its run was lost',
  noCustomerAction: 'no customer action in time',
  withoutUnavailable: 'the customer goes on without it',
  amended: 'amended',
  amendedAway: 'amended: no longer wanted',
  holdRanOut: 'the hold on the money ran out before the goods were handed over',
  notShippedInTime: 'not shipped by the time that was promised',
  notDeliveredInTime: 'not delivered by the time that was promised',
  deliveryFailed: 'delivery failed',
  returnedToSender: 'returned to sender',
  calledOffByCarrier: 'the carrier called it off',
  shipmentCalledOff: 'the carrier called the shipment off',
  chargeLeftOpen: 'nobody has asked again for its outcome',
  reservationExpired: 'OMS_ORDER_RESERVATION_EXPIRED: not paid for in time',
  noCustomerActionWanted: 'OMS_ORDER_MOVE_ILLEGAL: no customer action is asked for now',
  amendUnsupported: 'OMS_INGEST_AMEND_UNSUPPORTED: this version does not amend orders',
} as const;

/** Reasons that name something. */
export const REASON_FORMS = {
  overLimit: (amount: number | string, currency: string) =>
    `OMS_SPEND_LIMIT_EXCEEDED: ${amount} minor units of ${currency} would take the customer past the limit`,
  declined: (why: string) => `OMS_PAYMENT_DECLINED: ${why}`,
  carrierRefused: (why: string) => `OMS_CARRIER_REFUSED: ${why}`,
  /** What the error table calls it, in its words. */
  error: (code: string, message: string) => `${code}: ${message}`,
  unsupported: (what: string) => `OMS_ORDER_INPUT_UNSUPPORTED: this version does not know ${what}`,
  actionUnknown: (action: string) =>
    `OMS_ORDER_INPUT_UNSUPPORTED: customer action ${action} is neither amend nor cancel`,
  fulfillmentUnknown: (id: string) => `OMS_ORDER_UNKNOWN: the order has no fulfillment ${id}`,
  cancelTooLate: (ids: string) => `OMS_ORDER_CANCEL_TOO_LATE: handed over: ${ids}`,
  amendTooMany: (place: number | string, quantity: number | string, rule: string) =>
    `OMS_ORDER_AMEND_INVALID: payload.items[${place}].quantity is ${quantity}, ${rule}: an amendment drops lines and lowers quantities`,
  amendTooLate: (sku: string, fulfillmentId: string) =>
    `OMS_ORDER_AMEND_TOO_LATE: ${sku} of ${fulfillmentId} is with the carrier and cannot be taken off any more`,
  addressTooLate: (shipmentId: string) =>
    `OMS_ORDER_AMEND_TOO_LATE: ${shipmentId} is with the carrier, under the address it was booked for`,
  countryTooLate: (country: string, fulfillmentId: string) =>
    `OMS_ORDER_AMEND_TOO_LATE: payload.shipTo.country is ${country}, must stay the country it was invoiced for (${fulfillmentId})`,
} as const;
