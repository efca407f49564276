import type { Generated } from 'kysely';
import type { Time } from './column-types.ts';

export interface StockTable {
  warehouse: string;
  sku: string;
  /** While there is a shortage: what is reserved, not what is there. */
  on_hand: number;
  reserved: Generated<number>;
  /** Promised, and not there. */
  shortage: Generated<number>;
  /** Counts the moves. */
  version: Generated<number>;
  /** Of the newest level from upstream; null before the first. */
  level_version: number | null;
  counted_at: Date | null;
  updated_at: Time;
}

/** The prices in force. */
export interface PricesTable {
  sku: string;
  currency: string;
  unit_price: number;
  updated_at: Time;
  /** Of the price list that brought this price. */
  list_version: Generated<number>;
  from_warehouse: string | null;
  from_version: number | null;
}

export interface PriceHistoryTable {
  sku: string;
  currency: string;
  list_version: number;
  unit_price: number;
  changed_at: Time;
}

/** The newest price each warehouse has sent. */
export interface PriceLevelsTable {
  sku: string;
  currency: string;
  warehouse: string;
  unit_price: number;
  level_version: number;
  counted_at: Date;
}
