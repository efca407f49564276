import type { ColumnType, Generated } from 'kysely';
import type { ReplayMode } from '../../domain/replay-modes.ts';
import type { Json, Time } from './column-types.ts';

/** What an operator asked to be read, or told, again; the types of its parts are in replays.ts. */
export interface ReplaysTable {
  replay_id: string;
  mode: ReplayMode;
  state: 'planning' | 'planned' | 'running' | 'paused' | 'aborted' | 'finished';
  options: Json<unknown>;
  planned: ColumnType<unknown, string | null | undefined, string | null>;
  requested_by: string;
  reason: string;
  created_at: Time;
  started_at: Date | null;
  ended_at: Date | null;
  updated_at: Time;
}

export interface ReplayPartsTable {
  replay_id: string;
  partition: number;
  from_offset: number;
  end_offset: number;
  next_offset: number;
  tallies: Json<Record<string, number>>;
  effects: Json<Record<string, number>>;
  /** Records that are being worked on: see `ReplayPart`. */
  pending: ColumnType<[number, string, boolean?][] | null, string | null, string | null>;
}

export interface ReplayActionsTable {
  id: Generated<number>;
  replay_id: string;
  action: string;
  done_by: string;
  detail: string | null;
  at: Time;
}

export interface ReplayDraftsTable {
  replay_id: string;
  order_id: string;
  event_id: string;
  content_hash: Buffer;
  /** Of the event that places the order; null on all others, as is the fingerprint. */
  source: string | null;
  fingerprint: Buffer | null;
}

export interface ReplayNotesTable {
  replay_id: string;
  subject: string;
  name: string;
  n: Generated<number>;
  value: Json<unknown>;
}
