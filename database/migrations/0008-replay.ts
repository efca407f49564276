import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // Since when the ledger is complete; null = from the first order on. Set where topics were given a database not theirs.
  `alter table deployment add column ledger_since timestamptz`,

  // Replays, for ever: who asked for what, why, and what came of it.
  `create table replays (
    replay_id text collate "C" primary key,
    mode text not null check (mode in ('start-missing', 're-emit', 'validate')),
    state text not null check (state in ('planning', 'planned', 'running', 'paused', 'aborted', 'finished')),
    options jsonb not null,
    planned jsonb,
    requested_by text not null,
    reason text not null,
    created_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    ended_at timestamptz,
    updated_at timestamptz not null default clock_timestamp()
  )`,
  `create index replays_created on replays (created_at desc)`,
  // The range of each partition, frozen when it was planned, and how far it is done.
  `create table replay_parts (
    replay_id text collate "C" not null references replays on delete cascade,
    partition int not null,
    from_offset bigint not null,
    end_offset bigint not null,
    next_offset bigint not null,
    tallies jsonb not null default '{}',
    effects jsonb not null default '{}',
    pending jsonb,
    primary key (replay_id, partition)
  )`,
  `create table replay_actions (
    id bigint generated always as identity primary key,
    replay_id text collate "C" not null references replays on delete cascade,
    action text not null,
    done_by text not null,
    detail text,
    at timestamptz not null default clock_timestamp()
  )`,
  `create index replay_actions_replay on replay_actions (replay_id, id)`,
  // What a dry run has come across that the ledger does not know: without it, an order that stands twice would be new
  // twice. Worth nothing after a crash of the server, hence unlogged.
  `create unlogged table replay_drafts (
    replay_id text collate "C" not null,
    order_id text collate "C" not null,
    event_id text collate "C" not null,
    content_hash bytea not null,
    source text,
    fingerprint bytea,
    primary key (replay_id, order_id, event_id)
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
