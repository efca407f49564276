/**
 * What an event's `cause` says when no event of others led to it: the name of a step, a timer or a tool. Published and
 * stored: these are never renamed (test/frozen).
 */
export const CAUSES = {
  takeOrder: 'takeOrder',
  chargeFulfillments: 'chargeFulfillments',
  captureFulfillments: 'captureFulfillments',
  refundFulfillments: 'refundFulfillments',
  bookShipments: 'bookShipments',
  closeOrder: 'closeOrder',
  customerActionTimer: 'customer-action-timer',
  reservationTimer: 'reservation-timer',
  paymentHoldTimer: 'payment-hold-timer',
  shipByTimer: 'shipBy-timer',
  deliverByTimer: 'deliverBy-timer',
  temporalCancel: 'temporal-cancel',
  carrier: 'carrier',
  http: 'http',
} as const;

/** Ids we give to events that come to us without one, or that we make; each becomes the cause of what follows. */
export const CAUSE_FORMS = {
  signal: (n: number | string) => `signal-${n}`,
  recover: (runId: string) => `recover/${runId}`,
  operator: (action: string, decisionId: number | string) => `operator/${action}/${decisionId}`,
  http: (id: string) => `http/${id}`,
  cancelCommand: (id: string) => `cancel/${id}`,
  carrierCommand: (shipmentId: string, status: string, id: string) => `${shipmentId}/${status}/${id}`,
  retailImport: (source: string, invoiceNo: string) => `${source}/${invoiceNo}/placed`,
} as const;
