import type { ColumnType, Generated } from 'kysely';
import type { Overdue } from '../../domain/order-messages.ts';
import type { Address } from '../../domain/order.ts';
import type { FulfillmentStatus, OrderStatus, ShipmentStatus } from '../../domain/status.ts';
import type { Json, Time } from './column-types.ts';

export interface OrdersTable {
  order_id: string;
  run_id: string;
  source: string;
  customer_id: string;
  currency: string;
  ship_to: ColumnType<Address | null, string | null, string | null>;
  status: OrderStatus;
  reason: string | null;
  placed_at: Date;
  received_at: Time;
  updated_at: Time;
  closed_at: Date | null;
  overdue: Generated<Overdue | null>;
  round: Generated<number>;
  version: Generated<number>;
  /** When its state was filled anew from the topics: its older events may be gone. */
  rebuilt_at: Date | null;
  /** Last sequence per topic (without prefix). */
  sequences: ColumnType<Record<string, number>, string | undefined, string>;
}

export interface OrderItemsTable {
  order_id: string;
  line: number;
  sku: string;
  quantity: number;
  unit_price: number | null;
  description: string | null;
  /** Of its order. */
  received_at: Date;
}

export interface FulfillmentsTable {
  fulfillment_id: string;
  order_id: string;
  n: number;
  round: number;
  warehouse: string | null;
  status: FulfillmentStatus;
  reason: string | null;
  updated_at: Time;
  holds_stock: Generated<boolean>;
}

export interface FulfillmentItemsTable {
  fulfillment_id: string;
  line: number;
  sku: string;
  quantity: number;
  unit_price: number | null;
}

export interface StepsTable {
  key: string;
  order_id: string;
  result: ColumnType<unknown, string | null, string | null>;
  tombstone: Generated<boolean>;
  at: Time;
}

export interface ShipmentsTable {
  shipment_id: string;
  order_id: string;
  status: ShipmentStatus;
  carrier: string | null;
  booking_reference: string | null;
  tracking_number: string | null;
  service: string | null;
  /** Minor units of the order's currency. */
  quoted_price: number | null;
  failed_attempts: Generated<number>;
  requested_at: Time;
  booked_at: Date | null;
  dispatched_at: Date | null;
  ended_at: Date | null;
  updated_at: Time;
}

export interface CarrierUpdatesTable {
  update_id: string;
  shipment_id: string;
  status: string;
  applied: boolean;
  occurred_at: Date;
  received_at: Time;
  detail: string | null;
}

export interface OutboxTable {
  id: Generated<number>;
  event_id: string;
  order_id: string;
  /** Null on a record for one of our input topics, as is `sequence`. */
  version: number | null;
  topic: string;
  sequence: number | null;
  type: string;
  cause: string;
  key: string;
  value: Buffer;
  headers: Json<Record<string, string>>;
  shard: number;
  created_at: Time;
  sent_at: Date | null;
  held_reason: string | null;
  /** When it was given up: `sent_at` then only says that nobody will send it. */
  skipped_at: Date | null;
  /** Of the transaction that wrote it, as text. */
  tx: Generated<string>;
}
