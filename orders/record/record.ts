import type { InvoiceLine, Pricing } from '../../domain/invoice.ts';
import type { PaymentMode } from '../../domain/money.ts';
import type { Overdue } from '../../domain/order-messages.ts';
import type { Address } from '../../domain/order.ts';
import type { FulfillmentStatus, OrderStatus, PaymentStatus, ShipmentStatus } from '../../domain/status.ts';

/** An order with all its parts, as read at one version. Times are ms since the epoch, database time. */
export interface OrderRecord {
  orderId: string;
  source: string;
  customerId: string;
  currency: string;
  shipTo: Address | null;
  status: OrderStatus;
  reason: string | null;
  placedAt: number;
  receivedAt: number;
  closedAt: number | null;
  /** The promise that was not kept, the later one of two; null = none. */
  overdue: Overdue | null;
  /** Last version told. */
  version: number;
  /** Last sequence told, per topic without prefix. */
  sequences: Record<string, number>;
  /** The time of this step. */
  now: number;
  /** When `now` was asked for, by this process's own clock. */
  askedAt: number;
  fulfillments: FulfillmentRecord[];
}

export interface FulfillmentRecord {
  id: string;
  /** Null when its items are unavailable. */
  warehouse: string | null;
  /** False when it was split by a rule that keeps no stock: then none is ever moved for it. */
  holdsStock: boolean;
  status: FulfillmentStatus;
  reason: string | null;
  items: FulfillmentItemRecord[];
  invoice: InvoiceRecord | null;
  payment: PaymentRecord | null;
  /** Of its invoice, oldest first. */
  creditNotes: CreditNoteRecord[];
  shipment: ShipmentRecord | null;
}

export interface FulfillmentItemRecord {
  line: number;
  sku: string;
  quantity: number;
  unitPrice: number | null;
}

export interface InvoiceRecord {
  invoiceId: string;
  series: string;
  number: number;
  subTotal: number;
  tax: number;
  shipping: number;
  total: number;
  issuedAt: number;
  /** Only on an invoice drawn in this step: nothing reads them again. */
  drawn?: { lines: InvoiceLine[]; pricing: Pricing };
}

/** Says that a part of an invoice, or what is left of it, is not owed. As a row it is also the intent to give that back. */
export interface CreditNoteRecord {
  creditNoteId: string;
  series: string;
  number: number;
  subTotal: number;
  tax: number;
  shipping: number;
  total: number;
  reason: string;
  issuedAt: number;
  /** Given back for it: `total`, or nothing where nothing was taken. */
  refunded: number;
  /** Null while money has to go back for it, or may have to. */
  settledAt: number | null;
  /** Only on a note drawn in this step. */
  drawn?: { lines: InvoiceLine[] };
}

export interface PaymentRecord {
  /** `pending` = asked for, outcome not known yet. */
  status: PaymentStatus;
  /** As it was set when the payment was begun. */
  mode: PaymentMode;
  /** Asked for at first. */
  amount: number;
  /** Taken; less than `amount` where a part was credited before it was taken. */
  captured: number;
  reference: string | null;
  authCode: string | null;
  declineReason: string | null;
  refunded: number;
  settledAt: number | null;
}

export interface ShipmentRecord {
  /** `pending` = to be booked; the carrier may know of it already. */
  status: ShipmentStatus;
  carrier: string | null;
  bookingReference: string | null;
  trackingNumber: string | null;
  /** The carrier's service, and what it asks for it in minor units of the order's currency; null where not known. */
  service: string | null;
  quotedPrice: number | null;
  /** Attempts to deliver that failed, of which we know. */
  failedAttempts: number;
  bookedAt: number | null;
  dispatchedAt: number | null;
  endedAt: number | null;
}

export function fulfillmentOf(order: OrderRecord, id: string): FulfillmentRecord | undefined {
  return order.fulfillments.find((fulfillment) => fulfillment.id === id);
}
