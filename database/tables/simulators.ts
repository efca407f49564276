import type { Generated } from 'kysely';
import type { Time } from './column-types.ts';

export interface SimulatedChargesTable {
  key: string;
  customer_id: string;
  currency: string;
  amount: number;
  captured: Generated<number>;
  status: string;
  reference: string;
  auth_code: string | null;
  decline_reason: string | null;
  refunded: Generated<number>;
  at: Time;
}

export interface SimulatedRefundsTable {
  refund_key: string;
  key: string;
  amount: number;
  reason: string;
  at: Time;
}

export interface SimulatedBookingsTable {
  key: string;
  status: string;
  reference: string;
  tracking_number: string;
  status_at: Time;
  next_status: string | null;
  next_at: Date | null;
  service: string | null;
  price: number | null;
  booked_at: Time;
}

export interface SimulatedCallsTable {
  id: Generated<number>;
  provider: string;
  operation: string;
  key: string;
  outcome: string;
  at: Time;
}
