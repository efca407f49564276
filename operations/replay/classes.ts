import type { LedgerState } from '../../database/tables/ledger.ts';
import type { Verdict } from '../../orders/intake/judge.ts';

/** What a record is to a replay. */
export interface ReplayClass {
  means: string;
  /** Whether handing the record to the gate may have an effect; if not, it is done with. */
  isOpen: boolean;
}
/** All that the records of a topic may be. */
export type ReplayClasses = Readonly<Record<string, ReplayClass>>;

const open = (means: string): ReplayClass => ({ means, isOpen: true });
const done = (means: string): ReplayClass => ({ means, isOpen: false });
const FILTERED = { filtered: done('in the range, and not asked for') };

export const ORDER_CLASSES = {
  new: open('places an order the ledger does not know'),
  early: open('an event whose order is not there yet'),
  unheard: open('an event of a running order that nobody handed over'),
  running: done('done: its order is running'),
  done: done('done: its order is closed'),
  late: open('an event that came after its order was closed'),
  conflicting: open('an order or event id that is known, with other content'),
  stale: open('an order older than what the ledger and Temporal remember'),
  poison: open('can never be an order event'),
  ...FILTERED,
} satisfies ReplayClasses;

export const CARRIER_CLASSES = {
  new: open('says something new about a shipment'),
  known: done('was heard before, or is parked'),
  superseded: open('was not heard before, and says nothing new any more'),
  late: open('was not heard before its order was closed'),
  waiting: open('cannot be applied yet: its shipment may still come'),
  unknown: open('is about a shipment that will never be there'),
  poison: open('can never be news of a carrier'),
  ...FILTERED,
} satisfies ReplayClasses;

export const LEVEL_CLASSES = {
  new: open('a newer level, or price, of its SKU and warehouse'),
  known: done('its version was taken in before'),
  superseded: done('older than what was taken in'),
  poison: open('can never be a stock level'),
  ...FILTERED,
} satisfies ReplayClasses;

export const TOLD_CLASSES = {
  told: done('as it is in the outbox, for the first time in the range'),
  repeat: done('as it is in the outbox, told again'),
  gap: done('as it is in the outbox, but what its order told before it is not before it'),
  disordered: done('as it is in the outbox, but stands behind a later one of its order'),
  differs: done('has the id of an event of the outbox, and another key or other bytes'),
  unknown: done('is no event of the outbox'),
  foreign: done('was published by another deployment'),
  poison: done('cannot be decoded'),
  ...FILTERED,
} satisfies ReplayClasses;

export const LETTER_CLASSES = {
  told: done('as it is in the table of dead letters, for the first time in the range'),
  repeat: done('as it is in the table of dead letters, told again'),
  differs: done('has the id of a dead letter, and another key, reason or other bytes'),
  unknown: done('is no dead letter of ours'),
  foreign: done('was published by another deployment'),
  ...FILTERED,
} satisfies ReplayClasses;

/** What a re-emission counts, beside topics. */
export const EMITTED_CLASSES = {
  superseded: done('an older status of an order: only the newest is told again'),
  unsent: done('not told yet at all: the publisher will tell it'),
} satisfies ReplayClasses;

/** All there are, in the order of the guide. */
export const CLASS_NAMES: readonly string[] = [
  ORDER_CLASSES,
  CARRIER_CLASSES,
  LEVEL_CLASSES,
  TOLD_CLASSES,
  LETTER_CLASSES,
  EMITTED_CLASSES,
].flatMap((classes) => Object.keys(classes));

/** A verdict of ingest as an operator wants to know it. `state`: of the order in the ledger, where it knows it. */
export function classOf(verdict: Verdict, state: LedgerState | undefined): keyof typeof ORDER_CLASSES {
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
export function classOfKnown(state: LedgerState | undefined): keyof typeof ORDER_CLASSES {
  if (state === 'closed') return 'done';
  return state === 'claimed' || state === 'started' ? 'running' : 'early';
}
