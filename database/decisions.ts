import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { OperatorDecisionsTable } from './tables/dead-letters.ts';

/** Who decides, and why. */
export interface Operator {
  who: string;
  why: string;
}

/** What an operator decides about one thing. */
export interface Decision {
  kind: OperatorDecisionsTable['kind'];
  /** Id of the dead letter, the event or the order. */
  subject: string;
  action: string;
  /** What it takes to carry it out again. */
  detail?: Record<string, unknown>;
}

/** A decision as it was written down. */
export interface StoredDecision extends Operator, Required<Decision> {
  id: number;
  at: Date;
  /** Null while it is being carried out. */
  doneAt: Date | null;
  outcome: unknown;
}

const COLUMNS = sql`id, kind, subject, action, who, why, detail, at, done_at as "doneAt", outcome`;

/**
 * Writes a decision down before it is carried out. One about the same thing that was begun and never ended is returned
 * instead: it is to be ended first.
 */
export async function beginDecision(db: Database, by: Operator, decision: Decision): Promise<StoredDecision> {
  const { kind, subject, action, detail = {} } = decision;
  const { rows } = await sql<StoredDecision>`
    with begun as (
      insert into operator_decisions (kind, subject, action, who, why, detail)
      values (${kind}, ${subject}, ${action}, ${by.who}, ${by.why}, ${JSON.stringify(detail)}::jsonb)
      on conflict (kind, subject) where done_at is null do update set subject = excluded.subject
      returning *
    )
    select ${COLUMNS} from begun
  `.execute(db);
  if (rows[0]) return rows[0];
  throw new Error('a decision was not written down');
}

/**
 * Writes a decision down before it is carried out; the same one that was cut off is gone on with. Another one that was cut
 * off is given up: what it would have done is decided anew.
 */
export async function decideAnew(db: Database, by: Operator, decision: Decision): Promise<StoredDecision> {
  const begun = await beginDecision(db, by, decision);
  if (begun.action === decision.action) return begun;
  await endDecision(db, begun.id, { done: null, insteadOf: decision.action });
  return beginDecision(db, by, decision);
}

/** Writes down that it is carried out, and what came of it. The first outcome stands. */
export async function endDecision(db: Database, id: number, outcome: unknown): Promise<void> {
  await sql`
    update operator_decisions set done_at = clock_timestamp(), outcome = ${JSON.stringify(outcome)}::jsonb
    where id = ${id} and done_at is null
  `.execute(db);
}

/** Writes down a decision that is carried out in the same transaction. */
export async function recordDecision(tx: Database, by: Operator, decision: Decision, outcome: unknown): Promise<void> {
  const { kind, subject, action, detail = {} } = decision;
  await sql`
    insert into operator_decisions (kind, subject, action, who, why, detail, done_at, outcome)
    values (${kind}, ${subject}, ${action}, ${by.who}, ${by.why}, ${JSON.stringify(detail)}::jsonb, clock_timestamp(),
      ${JSON.stringify(outcome)}::jsonb)
  `.execute(tx);
}

/** All that was decided about one thing, oldest first. */
export async function decisionsAbout(db: Database, kind: Decision['kind'], subject: string): Promise<StoredDecision[]> {
  const { rows } = await sql<StoredDecision>`
    select ${COLUMNS} from operator_decisions where kind = ${kind} and subject = ${subject} order by id
  `.execute(db);
  return rows;
}
