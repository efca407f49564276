import { faultError, isOmsError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import { MAX_SKU_CHARACTERS } from '../../domain/order.ts';
import { check, currency, identifier, optional, time, wholeNumber } from '../../domain/rules.ts';
import type { Rule } from '../../domain/rules.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { StockLevel } from '../../schemas/index.ts';
import type { SentPrice } from '../money/price-list.ts';
import type { SentLevel } from '../stock/stock-levels.ts';
import { MAX_ORDER_VALUE, assertKey, readValue } from './validate.ts';

/** A record of the topic `stock-levels` that is a level, and maybe a price. */
export interface IncomingLevel {
  kind: 'level';
  level: SentLevel;
  price: SentPrice | null;
  record: ConsumedRecord;
}

/** One that can never be. */
export interface RefusedLevel {
  kind: 'refused';
  error: OmsError;
  record: ConsumedRecord;
}

export const MAX_WAREHOUSE_CHARACTERS = 100;
/** Far more than any warehouse holds, and few enough for the pieces of all of them to add up exactly. */
export const MAX_PIECES = 1_000_000_000_000;

const sku = identifier(MAX_SKU_CHARACTERS);
const warehouse = identifier(MAX_WAREHOUSE_CHARACTERS);
const onHand = wholeNumber(0, MAX_PIECES);
const version = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const unitPrice = optional(wholeNumber(0, MAX_ORDER_VALUE));

/**
 * Turns records into levels or refusals; never into nothing, and never by throwing for what a record holds.
 * @throws OmsError OMS_REGISTRY_UNAVAILABLE (retryable)
 */
export async function decodeLevels(
  codec: Codec,
  topic: string,
  records: readonly ConsumedRecord[],
): Promise<(IncomingLevel | RefusedLevel)[]> {
  await codec.prefetch(records.map((record) => record.value));
  return records.map((record) => {
    const { event: level, error } = readValue<StockLevel>(codec, topic, record.value);
    if (error) return { kind: 'refused', error, record };
    try {
      validateLevel(level);
      assertKey(record.key, level.sku, 'the SKU');
      return { kind: 'level', level: sentLevel(level), price: sentPrice(level), record };
    } catch (error) {
      if (!isOmsError(error)) throw error;
      return { kind: 'refused', error, record };
    }
  });
}

export function sentLevel({ sku, warehouse, onHand, version, occurredAt: countedAt }: StockLevel): SentLevel {
  return { sku, warehouse, onHand, version, countedAt };
}

/** Null on a level without a price. */
export function sentPrice({ unitPrice, currency, ...level }: StockLevel): SentPrice | null {
  const { sku, warehouse, version, occurredAt: countedAt } = level;
  if (unitPrice === null || currency === null) return null;
  return { sku, warehouse, version, countedAt, unitPrice, currency };
}

/** @throws OmsError OMS_STOCK_INVALID naming field, value and rule */
export function validateLevel(level: StockLevel): void {
  const hold = <T>(field: string, value: T, rule: Rule<T>): void =>
    check(() => field, value, rule, 'OMS_STOCK_INVALID');
  hold('sku', level.sku, sku);
  hold('warehouse', level.warehouse, warehouse);
  hold('onHand', level.onHand, onHand);
  hold('version', level.version, version);
  hold('occurredAt', level.occurredAt, time);
  hold('unitPrice', level.unitPrice, unitPrice);
  hold('currency', level.currency, optional(currency));
  if (level.unitPrice === null || level.currency !== null) return;
  const rule = 'must be given with a unitPrice: an ISO 4217 code in capitals, such as GBP';
  throw faultError('OMS_STOCK_INVALID', { field: 'currency', value: null, rule });
}
