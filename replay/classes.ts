import type { Verdict } from '../ingest/judge.ts';
import type { LedgerState } from '../database/tables.ts';

/** What a record of the orders topic is to a replay, and what that means. */
export const REPLAY_CLASSES = {
  new: 'places an order the ledger does not know',
  early: 'an event whose order is not there yet',
  unheard: 'an event of a running order that nobody handed over',
  running: 'done: its order is running',
  done: 'done: its order is closed',
  late: 'an event that came after its order was closed',
  conflicting: 'an order or event id that is known, with other content',
  stale: 'an order older than what the ledger and Temporal remember',
  poison: 'can never be an order event',
  filtered: 'in the range, and not asked for',
} as const;
export type ReplayClass = keyof typeof REPLAY_CLASSES;

/** What ingest has to be asked to do something about; all others are done with. */
const OPEN: ReadonlySet<string> = new Set<ReplayClass>([
  ...(['new', 'early', 'unheard'] as const),
  ...(['late', 'conflicting', 'stale', 'poison'] as const),
]);

/** Whether handing the record to ingest may have an effect. */
export function isOpenClass(replayClass: string): boolean {
  return OPEN.has(replayClass);
}

/** A verdict of ingest as an operator wants to know it. `state`: of the order in the ledger, where it knows it. */
export function classOf(verdict: Verdict, state: LedgerState | undefined): ReplayClass {
  switch (verdict.outcome) {
    case 'claim':
      return 'new';
    case 'restart':
      return 'running';
    case 'park':
      return 'early';
    case 'signal':
      return 'unheard';
    case 'duplicate':
      return classOfKnown(state);
    case 'conflict':
      return 'conflicting';
    case 'late':
      return 'late';
    case 'stale':
      return 'stale';
  }
}

/** Of an event that is done with or parked, by its order's state. */
export function classOfKnown(state: LedgerState | undefined): ReplayClass {
  if (state === 'closed') return 'done';
  return state === 'claimed' || state === 'started' ? 'running' : 'early';
}
