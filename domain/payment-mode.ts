/** `charge` takes the money at once; `capture-at-handover` holds it until the carrier has the goods. */
export const PAYMENT_MODES = ['charge', 'capture-at-handover'] as const;
export type PaymentMode = (typeof PAYMENT_MODES)[number];
