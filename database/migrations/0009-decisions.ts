import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // What operators decided, about what, and why. `done_at` is empty while a decision is being carried out, so that one
  // that was cut off is found and ended by repeating it.
  `create table operator_decisions (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('deadLetter', 'event', 'order', 'deployment')),
    subject text collate "C" not null,
    action text not null,
    who text not null,
    why text not null,
    detail jsonb not null default '{}',
    at timestamptz not null default clock_timestamp(),
    done_at timestamptz,
    outcome jsonb
  )`,
  `create index operator_decisions_subject on operator_decisions (kind, subject, id)`,
  // One that is being carried out at a time.
  `create unique index operator_decisions_open on operator_decisions (kind, subject) where done_at is null`,

  `alter table dead_letters
    add column decision text check (decision in ('retried', 'edited', 'dropped')),
    add column decided_at timestamptz`,
  // How often its record had been put back on its topic when it was refused.
  `alter table dead_letters add column attempt int not null default 0`,
  `create index dead_letters_undecided on dead_letters (created_at) where decided_at is null`,

  // An event that was given up: nobody will send it, and the order's later events go on.
  `alter table outbox add column skipped_at timestamptz`,
  // An order whose state was filled anew from the topics: its older events may be gone.
  `alter table orders add column rebuilt_at timestamptz`,
];

/** Decisions about dead letters, held events and repairs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
