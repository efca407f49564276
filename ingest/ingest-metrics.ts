import type { DeadLetter } from '../database/dead-letters.ts';
import { Counter } from '../platform/metrics.ts';
import type { Registry } from '../platform/metrics.ts';

/** What ingest counts as it goes. */
export interface IngestMetrics {
  /** One record is done, with this outcome. */
  record(outcome: string): void;
  deadLetters(letters: readonly DeadLetter[]): void;
}

export function createIngestMetrics(registry: Registry): IngestMetrics {
  const records = new Counter({
    name: 'oms_ingest_records_total',
    help: 'Records of the orders topic that ingest is done with, by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const letters = new Counter({
    name: 'oms_dead_letters_total',
    help: 'Dead letters sent, by error code.',
    labelNames: ['code'],
    registers: [registry],
  });
  return {
    record: (outcome) => records.inc({ outcome }),
    deadLetters: (sent) => {
      for (const { code } of sent) letters.inc({ code });
    },
  };
}
