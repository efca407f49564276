import type { ColumnType, Generated, Kysely } from 'kysely';

/** Set by the database unless given. */
type Time = ColumnType<Date, Date | undefined, Date>;

interface SimulatedChargesTable {
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

interface SimulatedRefundsTable {
  refund_key: string;
  key: string;
  amount: number;
  reason: string;
  at: Time;
}

interface SimulatedBookingsTable {
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

interface SimulatedCallsTable {
  id: Generated<number>;
  provider: string;
  operation: string;
  key: string;
  outcome: string;
  at: Time;
}

/**
 * What the simulated providers remember. They stand for somebody else's systems: nothing but them reads these tables,
 * whose changes are in `SIMULATOR_MIGRATIONS`.
 */
export interface SimulatorTables {
  simulated_charges: SimulatedChargesTable;
  simulated_refunds: SimulatedRefundsTable;
  simulated_bookings: SimulatedBookingsTable;
  simulated_calls: SimulatedCallsTable;
}

export type SimulatorDatabase = Kysely<SimulatorTables>;
