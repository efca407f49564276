/** A promise about an order that was not kept: it is told and shown, and changes nothing else. */
export const OVERDUES = ['shipBy', 'deliverBy'] as const;
export type Overdue = (typeof OVERDUES)[number];
