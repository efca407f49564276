import type { Database } from '../../database/database.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Chunk } from '../../kafka/consumer/consumer.ts';
import { decodeLevels } from '../../orders/intake/levels.ts';
import type { IncomingLevel, RefusedLevel } from '../../orders/intake/levels.ts';
import { applySentPrices } from '../../orders/money/price-list.ts';
import { applyLevels } from '../../orders/stock/stock-levels.ts';
import type { HeldStock } from '../../orders/stock/stock-levels.ts';
import { deadLetter } from '../../outbox/dead-letters.ts';
import type { DeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { Logger } from '../../platform/logger.ts';
import type { StockMetrics } from './metrics.ts';

export interface StockReceiverOptions {
  db: Database;
  codec: Codec;
  office: DeadLetterOffice;
  metrics: StockMetrics;
  logger: Logger;
}

/**
 * The way of a chunk of the topic `stock-levels`: decode, take in levels, then prices, finish; refuse the rest. Levels and
 * prices each hold their own against repeats, so whatever it dies in between, the same records given again lead to the
 * same end.
 * @throws OmsError, retryable, when the environment is away: what could be done is finished, the rest is to be given again
 */
export function createLevelHandler(options: StockReceiverOptions): (chunk: Chunk) => Promise<void> {
  return async (chunk) => {
    const decoded = await decodeLevels(options.codec, chunk.topic, chunk.records);
    await takeIn(
      options,
      chunk,
      decoded.filter((one) => one.kind === 'level'),
    );
    await refuse(
      options,
      chunk,
      decoded.filter((one) => one.kind === 'refused'),
    );
  };
}

async function takeIn(options: StockReceiverOptions, chunk: Chunk, levels: readonly IncomingLevel[]): Promise<void> {
  const { db, metrics, logger } = options;
  const { applied, short } = await applyLevels(
    db,
    levels.map(({ level }) => level),
  );
  for (const one of short) logger.warn(aboutShortage(one), 'fewer pieces are there than orders were promised');
  const prices = levels.flatMap(({ price }) => price ?? []);
  metrics.pricesChanged(await applySentPrices(db, prices));
  for (const { level, record } of levels) {
    chunk.finished(record.offset);
    metrics.level(applied.has(level) ? 'applied' : 'stale');
  }
}

function aboutShortage({ sku, warehouse, onHand, reserved, shortage, levelVersion }: HeldStock) {
  return { sku, warehouse, onHand, reserved, shortage, levelVersion };
}

async function refuse(options: StockReceiverOptions, chunk: Chunk, refused: readonly RefusedLevel[]): Promise<void> {
  const { office, metrics } = options;
  const letters = refused.map(({ error, record }) =>
    deadLetter({ error, orderId: null, source: null, record: storedRecord(record) }),
  );
  metrics.deadLetters(await office.send(letters));
  for (const { record } of refused) {
    chunk.finished(record.offset);
    metrics.level('refused');
  }
}
