import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TopicRecord } from '../../operations/topics/tail.ts';
import { priceListVersion, readPrices } from '../../orders/money/price-list.ts';
import { readStock } from '../../orders/stock/stock-levels.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { startIngest } from '../helpers/ingests.ts';
import type { IngestHere } from '../helpers/ingests.ts';
import { openStockTopic, stockLevel } from '../helpers/stock-topic.ts';
import type { StockTopic } from '../helpers/stock-topic.ts';
import { createTcpSwitch } from '../helpers/tcp-switch.ts';
import { waitFor } from '../helpers/wait.ts';

let world: IngestWorld;
let topic: StockTopic;
beforeAll(async () => {
  world = await createIngestWorld();
  topic = await openStockTopic(world);
});
afterAll(async () => {
  await topic.close();
  await world.drop();
});

async function withIngest<T>(work: (ingest: IngestHere) => Promise<T>, settings = {}): Promise<T> {
  const ingest = await startIngest(world, { settings });
  try {
    return await work(ingest);
  } finally {
    await ingest.stop();
    expect(ingest.failures).toEqual([]);
  }
}
const stockOf = async (...skus: string[]) =>
  (await readStock(world.db, skus, 100)).map(({ sku, warehouse, onHand, levelVersion }) =>
    [sku, warehouse, onHand, levelVersion].join(' '),
  );

describe('Levels on the topic stock-levels', () => {
  it('become stock and prices', async () => {
    await topic.produce(
      stockLevel('mug', { unitPrice: 255, currency: 'GBP' }),
      stockLevel('mug', { warehouse: 'west', onHand: 3, version: 7 }),
      stockLevel('cup', { onHand: 0 }),
      stockLevel('mug', { version: 2, onHand: 12, unitPrice: 300, currency: 'GBP' }),
    );
    await withIngest(async (ingest) => {
      await topic.untilTaken();
      const text = await ingest.metricsText();
      // All four came in one go, where the first level of the mug was overtaken by the last.
      expect(text).toMatch(/oms_stock_levels_total\{outcome="applied",role="ingest"\} 3/);
      expect(text).toMatch(/oms_stock_levels_total\{outcome="stale",role="ingest"\} 1/);
      expect(text).toMatch(/oms_ingest_lag_records\{topic="[^"]*stock-levels",partition="0",role="ingest"\} 0/);
      expect(text).toMatch(new RegExp(`oms_price_list_version\\{role="ingest"\\} ${await priceListVersion(world.db)}`));
      expect(text).toMatch(/oms_stock_short_pieces\{role="ingest"\} 0/);
      expect(await ingest.ready.stock?.()).toBeNull();
      expect(await ingest.live.stock?.()).toBeNull();
    });
    expect(await stockOf('cup', 'mug')).toEqual(['cup east 0 1', 'mug east 12 2', 'mug west 3 7']);
    expect(await readPrices(world.db, ['mug'])).toMatchObject([{ currency: 'GBP', unitPrice: 300 }]);
  });

  it('change nothing when the topic is read again, nor when an older one comes late', async () => {
    const before = [await stockOf(), await priceListVersion(world.db)];
    await topic.rewind();
    await topic.produce(stockLevel('mug', { version: 1, onHand: 99, unitPrice: 1, currency: 'GBP' }));
    await withIngest(async (ingest) => {
      await topic.untilTaken();
      expect(await ingest.metricsText()).not.toMatch(/oms_stock_levels_total\{outcome="applied"/);
    });
    expect([await stockOf(), await priceListVersion(world.db)]).toEqual(before);
  });

  it('wait while PostgreSQL is away, and none is refused for it', async () => {
    const url = new URL(world.environment.DATABASE_URL ?? '');
    const way = await createTcpSwitch(url.host);
    url.host = way.address;
    const start = await topic.committed();
    await withIngest(
      async (ingest) => {
        await topic.produce(stockLevel('waits', { onHand: 1 }));
        await topic.untilTaken();
        way.cut();
        await topic.produce(stockLevel('waits', { onHand: 2, version: 2 }), { key: 'waits', value: null });
        const isPaused = async () => /OMS_DATABASE_UNAVAILABLE/.test((await ingest.ready.stock?.()) ?? '');
        await waitFor('readiness to say so', isPaused);
        expect(await topic.committed()).toBe(start + 1);
        expect(await ingest.live.stock?.()).toBeNull();
        way.heal();
        await topic.untilTaken();
        await waitFor('readiness', async () => (await ingest.ready.stock?.()) === null);
      },
      { DATABASE_URL: url.href },
    );
    await way.close();
    expect(await stockOf('waits')).toEqual(['waits east 2 2']);
  });
});

type Bad = [
  what: string,
  record: () => { key: string | null; value: Buffer | null },
  refused: { code: string; field: string; value: RegExp; rule: RegExp },
];
const level = (more: Parameters<typeof stockLevel>[1], sku = 'bad') => ({
  key: sku,
  value: encode(stockLevel(sku, more)),
});
const encode = (of: Parameters<StockTopic['encode']>[0]): Buffer => topic.encode(of);
const invalid = (field: string, value: RegExp, rule: RegExp) => ({ code: 'OMS_STOCK_INVALID', field, value, rule });

const BAD: Bad[] = [
  [
    'a tombstone',
    () => ({ key: 'bad', value: null }),
    { code: 'OMS_INGEST_VALUE_EMPTY', field: 'value', value: /null/, rule: /must hold/ },
  ],
  [
    'anything but Avro',
    () => ({ key: 'bad', value: Buffer.from('{"sku":"bad"}') }),
    { code: 'OMS_INGEST_NOT_AVRO', field: 'value', value: /7b 22/, rule: /byte 0/ },
  ],
  [
    'an unknown schema id',
    () => ({ key: 'bad', value: Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]) }),
    { code: 'OMS_INGEST_SCHEMA_UNKNOWN', field: 'value', value: /00 7f ff/, rule: /registry knows/ },
  ],
  [
    'a cut record',
    () => ({ key: 'bad', value: encode(stockLevel('bad')).subarray(0, 9) }),
    { code: 'OMS_INGEST_AVRO_CORRUPT', field: 'value', value: /00 /, rule: /complete Avro record/ },
  ],
  [
    'no key',
    () => ({ ...level({}), key: null }),
    { code: 'OMS_INGEST_KEY_MISSING', field: 'key', value: /null/, rule: /the SKU, bad/ },
  ],
  [
    'another key',
    () => ({ ...level({}), key: 'other' }),
    { code: 'OMS_INGEST_KEY_MISMATCH', field: 'key', value: /other/, rule: /the SKU, bad/ },
  ],
  ['no SKU', () => level({}, ''), invalid('sku', /""/, /1 to 128 characters/)],
  [
    'a warehouse with a control character',
    () => level({ warehouse: 'ea\u0000st' }),
    invalid('warehouse', /u0000/, /control/),
  ],
  ['fewer than no pieces', () => level({ onHand: -1 }), invalid('onHand', /-1/, /whole number from 0/)],
  ['a version below 0', () => level({ version: -1 }), invalid('version', /-1/, /whole number from 0/)],
  ['a time before 1970', () => level({ occurredAt: -1 }), invalid('occurredAt', /-1/, /since 1970/)],
  ['a negative price', () => level({ unitPrice: -1, currency: 'GBP' }), invalid('unitPrice', /-1/, /or null/)],
  ['an unknown currency', () => level({ unitPrice: 1, currency: 'QQQ' }), invalid('currency', /QQQ/, /ISO 4217/)],
  ['a price without a currency', () => level({ unitPrice: 1 }), invalid('currency', /null/, /with a unitPrice/)],
];

describe('A record of stock-levels that cannot be taken', () => {
  let letters: TopicRecord[];
  let first: number;

  beforeAll(async () => {
    first = await topic.committed();
    for (const [i, [, make]] of BAD.entries()) {
      await topic.produce(make(), stockLevel(`next-${i}`, { onHand: i }));
    }
    await withIngest(() => topic.untilTaken());
    letters = await world.deadLetters();
  });

  it.each(BAD.map(([what], i) => [what, i] as const))(
    'for %s is a dead letter that names field, value and rule',
    (_, i) => {
      const letter = letters.find(({ headers }) => headers['oms-dlq-original-offset'] === String(first + 2 * i));
      const { code, field, value, rule } = BAD[i]?.[2] ?? { code: 'none' };
      expect(letter?.headers).toMatchObject({
        'oms-dlq-original-topic': world.topics['stock-levels'],
        'oms-dlq-error-code': code,
        'oms-dlq-error-field': field,
        'oms-dlq-error-value': expect.stringMatching(value ?? ''),
        'oms-dlq-error-rule': expect.stringMatching(rule ?? ''),
      });
    },
  );

  it('keeps nothing from the level behind it', async () => {
    const taken = await stockOf(...BAD.map((_, i) => `next-${i}`));
    expect(taken.toSorted()).toEqual(BAD.map((_, i) => `next-${i} east ${i} 1`).toSorted());
    expect(await stockOf('bad', '')).toEqual([]);
  });

  it('is refused once, though the topic is read again', async () => {
    const before = letters.length;
    await topic.rewind();
    await withIngest(() => topic.untilTaken());
    expect(await world.deadLetters()).toHaveLength(before);
  });
});
