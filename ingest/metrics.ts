import type { DeadLetter } from '../database/dead-letters.ts';
import { COUNTERS } from '../platform/metric-names.ts';
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
    ...COUNTERS.ingestRecords,
    help: 'Records of the orders topic that ingest is done with, by outcome.',
    registers: [registry],
  });
  const rebalances = new Counter({
    ...COUNTERS.ingestRebalances,
    help: 'Times the consumer group was shared out anew.',
    registers: [registry],
  });
  const alerts = new Counter({
    ...COUNTERS.ingestOffsetAlerts,
    help: 'Offsets that jumped: records were, or may have been, skipped by the cluster.',
    registers: [registry],
  });
  return {
    rebalance: () => rebalances.inc(),
    offsetAlert: (kind) => alerts.inc({ kind }),
    record: (outcome) => records.inc({ outcome: OUTCOMES[outcome] ?? outcome }),
    deadLetters: createDeadLetterCount(registry),
  };
}

/** Counts dead letters of any topic, by code; asked for again, it is the same counter. */
export function createDeadLetterCount(registry: Registry): (letters: readonly DeadLetter[]) => void {
  const known = registry.getSingleMetric(COUNTERS.deadLetters.name) as Counter<'code'> | undefined;
  const counter =
    known ??
    new Counter({
      ...COUNTERS.deadLetters,
      help: 'Dead letters sent, by error code.',
      registers: [registry],
    });
  return (letters) => {
    for (const { code } of letters) counter.inc({ code });
  };
}
