import { describe, expect, it } from '@jest/globals';
import { compareRetention } from '../../temporal/retention.ts';
import type { RetentionFacts } from '../../temporal/retention.ts';

const DAY = 24 * 60 * 60 * 1_000;
const NOW = Date.UTC(2026, 5, 1);

function findings(topicMs: number | null, ledgerSinceMs?: number, isCompacted = false) {
  const facts: RetentionFacts = {
    topics: [{ topic: 'orders', retentionMs: topicMs, isCompacted }],
    ...{ temporalMs: 3 * DAY, ledgerSinceMs, nowMs: NOW },
  };
  return compareRetention(facts).map(({ level, message }) => `${level}: ${message}`);
}

describe('retention of topic, Temporal and ledger', () => {
  it('needs no ledger while the topic forgets before Temporal does', () => {
    expect(findings(2 * DAY, NOW)).toEqual([expect.stringMatching(/^note: keeps events 2 days.*it knows every order/)]);
  });

  it('is guarded by a ledger that was there from the first order on', () => {
    expect(findings(null)).toEqual([
      expect.stringMatching(/^note: keeps events for ever.*the ledger knows every order/),
    ]);
  });

  it('is no danger once the topic holds nothing from before the ledger', () => {
    expect(findings(5 * DAY, NOW - 6 * DAY)).toEqual([expect.stringMatching(/^note: .*nothing is forgotten/)]);
  });

  it('warns of orders on the topic that neither Temporal nor the ledger remembers', () => {
    for (const kept of [null, 90 * DAY]) {
      expect(findings(kept, NOW - DAY)).toEqual([
        expect.stringMatching(/^warning: .*since 2026-05-31.*before 2026-05-29.*refused as stale \(OMS_INGEST_STALE\)/),
      ]);
    }
  });

  it('warns of a compacted topic, which loses the events of its orders', () => {
    expect(findings(null, undefined, true)[0]).toMatch(/^warning: is compacted/);
  });
});
