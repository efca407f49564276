import type { Database } from '../../database/database.ts';
import { countParkedNews } from '../../database/ledger/parked-carrier-news.ts';
import type { NewsOutcome } from '../../orders/intake/carrier-news.ts';
import { COUNTERS, GAUGES } from '../../platform/metric-names.ts';
import { Counter, Gauge } from '../../platform/metrics.ts';
import type { Registry } from '../../platform/metrics.ts';

/** How news came: pushed by an adapter, on the topic `carrier-updates`, or tried again after it was parked. */
export type NewsWay = 'push' | 'topic' | 'parked';

export type CountNews = (way: NewsWay, outcome: NewsOutcome) => void;

export function createCarrierMetrics(registry: Registry, db: Database): CountNews {
  const counter = new Counter({
    ...COUNTERS.carrierNews,
    help: 'Carrier news by the way it came and what became of it; failed and away come again.',
    registers: [registry],
  });
  new Gauge({
    ...GAUGES.carrierNewsParked,
    help: 'Carrier news that waits for its shipment.',
    registers: [registry],
    async collect() {
      const parked = await countParkedNews(db).catch(() => undefined);
      if (parked !== undefined) this.set(parked);
    },
  });
  return (way, outcome) => counter.inc({ way, outcome });
}
