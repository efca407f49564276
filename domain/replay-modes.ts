/** How a replay works, as far as that follows from its mode. */
interface ReplayModeRules {
  /** Where its records come from: a topic that the operator names, or the outbox, whose events are sent again. */
  reads: 'topic' | 'outbox';
  /** Whether a run may change something. One that may not is a dry run: it only keeps notes of its own. */
  hasEffect: boolean;
  /** For an operator, in lines. */
  about: readonly string[];
}

/**
 * Every mode of a replay. Commands, plans and runs follow these rules and ask for no mode by name; a mode that reads
 * something new also needs its classifier (operations/replay/sources.ts), and a migration: `replays.mode` is checked.
 */
export const REPLAY_MODES = {
  'start-missing': {
    reads: 'topic',
    hasEffect: true,
    about: ["what is not known yet is brought in: orders with their events, carriers' news, stock levels"],
  },
  're-emit': {
    reads: 'outbox',
    hasEffect: true,
    about: ['events that were told are told again from the outbox, same ids and bytes, with the header `oms-replay`'],
  },
  validate: {
    reads: 'topic',
    hasEffect: false,
    about: [
      'records are only looked at; those of shipments, invoices, deliveries, order-status, orders.dlq and of a',
      "replay's own topic are compared with what the database says was told",
    ],
  },
} as const satisfies Record<string, ReplayModeRules>;

export type ReplayMode = keyof typeof REPLAY_MODES;

/** In the order of the guide. */
export const REPLAY_MODE_NAMES = Object.keys(REPLAY_MODES) as ReplayMode[];

/** The mode of a command that names none. */
export const DEFAULT_REPLAY_MODE: ReplayMode = 'start-missing';

export const replayRules = (mode: ReplayMode): ReplayModeRules => REPLAY_MODES[mode];

/** The modes that send events of the outbox again. */
export const OUTBOX_MODES = REPLAY_MODE_NAMES.filter((mode) => replayRules(mode).reads === 'outbox');
