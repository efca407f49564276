import type { ColumnType, Generated } from 'kysely';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import type { Json, RecordColumns, Time } from './column-types.ts';

export type LedgerState = 'awaited' | 'claimed' | 'started' | 'closed';

export interface LedgerTable {
  order_id: string;
  state: LedgerState;
  source: string | null;
  fingerprint: Buffer | null;
  fingerprint_version: number | null;
  placed_event_id: string | null;
  run_id: string | null;
  placed: ColumnType<PlacedOrder | null, string | null, string | null>;
  record_value: Buffer | null;
  record_topic: string | null;
  record_partition: number | null;
  record_offset: number | null;
  record_time: Date | null;
  awaited_at: Date | null;
  claimed_at: Date | null;
  started_at: Date | null;
  closed_at: Date | null;
}

export interface LedgerEventsTable {
  order_id: string;
  event_id: string;
  type: string;
  outcome: 'started' | 'signalled' | 'handled' | 'late' | 'refused';
  payload_hash: Buffer | null;
  /** Why it was refused. */
  reason: Generated<string | null>;
  at: Time;
}

export interface ParkedEventsTable extends RecordColumns {
  order_id: string;
  event_id: string;
  message: Json<LifecycleMessage>;
  payload_hash: Buffer | null;
  source: string | null;
  sequence: number | null;
  parked_at: Time;
  deadline: Date;
}

/** Without a record if the news came by push. */
export interface ParkedCarrierNewsTable {
  shipment_id: string;
  update_id: string;
  news: Json<unknown>;
  record_topic: string | null;
  record_partition: number | null;
  record_offset: number | null;
  record_time: Date | null;
  record_key: Buffer | null;
  record_value: Buffer | null;
  record_headers: ColumnType<Record<string, string[]> | null, string | null, string | null>;
  parked_at: Time;
  tried_at: Time;
  deadline: Date;
}
