import type { DeadLetter } from '../database/dead-letters.ts';
import { Counter } from '../platform/metrics.ts';
import type { Registry } from '../platform/metrics.ts';

/** What ingest counts as it goes. */
export interface IngestMetrics {
  /** One record is done, with this outcome. */
  record(outcome: string, offset?: bigint): void;
  deadLetters(letters: readonly DeadLetter[]): void;
  rebalance(): void;
  /** Records were, or may have been, skipped by the cluster. */
  offsetAlert(kind: string): void;
}

/** Public names of outcomes: what a record was in the end. */
const OUTCOMES: Readonly<Record<string, string>> = {
  claim: 'started',
  restart: 'restarted',
  park: 'parked',
  signal: 'signalled',
};

export function createIngestMetrics(registry: Registry): IngestMetrics {
  const records = new Counter({
    name: 'oms_ingest_records_total',
    help: 'Records of the orders topic that ingest is done with, by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const rebalances = new Counter({
    name: 'oms_ingest_rebalances_total',
    help: 'Times the consumer group was shared out anew.',
    registers: [registry],
  });
  const alerts = new Counter({
    name: 'oms_ingest_offset_alerts_total',
    help: 'Offsets that jumped: records were, or may have been, skipped by the cluster.',
    labelNames: ['kind'],
    registers: [registry],
  });
  return {
    rebalance: () => rebalances.inc(),
    offsetAlert: (kind) => alerts.inc({ kind }),
    record: (outcome) => records.inc({ outcome: OUTCOMES[outcome] ?? outcome }),
    deadLetters: createDeadLetterCount(registry),
  };
}

const DEAD_LETTERS = 'oms_dead_letters_total';

/** Counts dead letters of any topic, by code; asked for again, it is the same counter. */
export function createDeadLetterCount(registry: Registry): (letters: readonly DeadLetter[]) => void {
  const known = registry.getSingleMetric(DEAD_LETTERS) as Counter<'code'> | undefined;
  const counter =
    known ??
    new Counter({
      name: DEAD_LETTERS,
      help: 'Dead letters sent, by error code.',
      labelNames: ['code'],
      registers: [registry],
    });
  return (letters) => {
    for (const { code } of letters) counter.inc({ code });
  };
}
