import type { ColumnType, Generated } from 'kysely';
import type { Fault } from '../../domain/errors.ts';
import type { Json, RecordColumns, Time } from './column-types.ts';

export interface DeadLettersTable extends RecordColumns {
  id: string;
  code: string;
  message: string;
  fault: ColumnType<Fault | null, string | null, string | null>;
  order_id: string | null;
  source: string | null;
  created_at: Time;
  sent_at: Date | null;
  decision: LetterDecision | null;
  decided_at: Date | null;
  /** How often its record had been put back on its topic when it was refused. */
  attempt: Generated<number>;
}

/** What an operator decided about a dead letter. */
export type LetterDecision = 'retried' | 'edited' | 'dropped';

export interface OperatorDecisionsTable {
  id: Generated<number>;
  kind: 'deadLetter' | 'event' | 'order' | 'deployment';
  subject: string;
  action: string;
  who: string;
  why: string;
  detail: Json<Record<string, unknown>>;
  at: Time;
  /** Null while it is being carried out. */
  done_at: Date | null;
  outcome: ColumnType<unknown, string | null, string | null>;
}
