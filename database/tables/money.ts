import type { Generated } from 'kysely';
import type { InvoiceLine, Pricing } from '../../domain/invoice.ts';
import type { PaymentMode } from '../../domain/money.ts';
import type { PaymentStatus } from '../../domain/status.ts';
import type { Json, Time } from './column-types.ts';

export interface InvoicesTable {
  invoice_id: string;
  series: string;
  number: number;
  fulfillment_id: string;
  order_id: string;
  customer_id: string;
  currency: string;
  sub_total: number;
  tax: number;
  shipping: number;
  total: number;
  lines: Json<InvoiceLine[]>;
  pricing: Json<Pricing>;
  issued_at: Time;
}

export interface CreditNotesTable {
  credit_note_id: string;
  series: string;
  number: number;
  invoice_id: string;
  fulfillment_id: string;
  order_id: string;
  customer_id: string;
  currency: string;
  sub_total: number;
  tax: number;
  shipping: number;
  total: number;
  lines: Json<InvoiceLine[]>;
  reason: string;
  refunded: Generated<number>;
  issued_at: Time;
  settled_at: Date | null;
}

export interface PaymentsTable {
  fulfillment_id: string;
  order_id: string;
  status: PaymentStatus;
  mode: Generated<PaymentMode>;
  captured: Generated<number>;
  currency: string;
  amount: number;
  reference: string | null;
  auth_code: string | null;
  decline_reason: string | null;
  refunded: Generated<number>;
  requested_at: Time;
  settled_at: Date | null;
}

export interface CustomerSpendTable {
  customer_id: string;
  currency: string;
  spent: Generated<number>;
  spend_limit: number | null;
  updated_at: Time;
  /** How often the sum was begun anew. */
  tally: Generated<number>;
}

export interface SpendDecisionsTable {
  fulfillment_id: string;
  order_id: string;
  customer_id: string;
  currency: string;
  amount: number;
  approved: boolean;
  given_back: Generated<number>;
  decided_at: Time;
  /** Of the customer's tallies the one it counts in. */
  tally: Generated<number>;
}

/** Charges outside of any order. */
export interface ChargesTable {
  charge_id: string;
  /** What the caller names it by. */
  reference: string;
  requested_at: Time;
}
