import { workflowInfo } from '@temporalio/workflow';
import { CAUSE_FORMS } from '../domain/causes.ts';
import type { CarriedOver, OrderInput, OrderState } from '../domain/contract.ts';
import type { OrderProgress } from '../domain/progress.ts';
import type { EventName, Letter } from '../domain/read-messages.ts';

/** What one run of the order workflow knows. How far the order is comes from the database with every step's answer. */
export interface Story {
  readonly orderId: string;
  readonly timers: OrderInput['timers'];
  readonly mailbox: Mailbox;
  /** Incoming events that are done with; closing writes them to the ledger. */
  readonly handled: Handled[];
  /** Null until the order is taken. */
  progress: OrderProgress | null;
  /** The carrier has told the end of every shipment. */
  settled: boolean;
  timedOut: boolean;
  /** When the order's first run began, ms since the epoch by workflow time. */
  readonly beganAt: number;
  /** Deadlines that have been dealt with. */
  readonly passed: Set<string>;
  /** For support staff, in words. */
  waitingFor: string | null;
}

export function createStory(input: OrderInput): Story {
  const { carried } = input;
  return {
    orderId: input.orderId,
    timers: input.timers,
    mailbox: createMailbox(carried?.seen),
    handled: [...(carried?.handled ?? [])],
    progress: null,
    settled: false,
    timedOut: carried?.timedOut ?? false,
    beganAt: carried?.beganAt ?? workflowInfo().startTime.getTime(),
    passed: new Set(carried?.passed),
    waitingFor: null,
  };
}

/** What the next part of the run has to know. */
export function carriedOver({ beganAt, timedOut, passed, mailbox, handled }: Story): CarriedOver {
  return { beganAt, timedOut, passed: [...passed], seen: mailbox.seen(), handled };
}

/** Takes over a step's answer. Steps run side by side may answer out of order: an older state never replaces a newer one. */
export function learn(story: Story, progress: OrderProgress): OrderProgress {
  if (!story.progress || progress.version >= story.progress.version) story.progress = progress;
  return story.progress;
}

/** @throws Error before the order is taken: a bug */
export function progressOf(story: Story): OrderProgress {
  if (story.progress) return story.progress;
  throw new Error('the order is not taken yet');
}

/** Answer of the `status` query. */
export function stateOf({ orderId, progress, waitingFor }: Story): OrderState {
  const fulfillments = progress?.fulfillments.map(({ id, status, payment, shipment }) => ({
    id,
    status,
    ...(payment ? { payment } : {}),
    ...(shipment ? { shipment } : {}),
  }));
  return { id: orderId, status: progress?.status ?? 'pending', fulfillments: fulfillments ?? null, waitingFor };
}

/** Waits for something, and says so. */
export async function waiting<T>(story: Story, what: string, work: Promise<T>): Promise<T> {
  story.waitingFor = what;
  try {
    return await work;
  } finally {
    story.waitingFor = null;
  }
}

/** What is wanted of the running order: each event once, in the order it came. */
interface Mailbox {
  /** Takes a letter in, unless its event was taken in before. */
  post(letter: Letter): void;
  /** The next letter; undefined when there is none. */
  take(): Letter | undefined;
  hasMail(): boolean;
  /** A wish to cancel or to amend waits: it should stop what is being done. */
  hasWish(): boolean;
  /** A name for the next message, should it come without an event id: which one it is, counted from 1. */
  nameless(): string;
  /** Ids of all events that were taken in. */
  seen(): string[];
}

/** @param known ids of events that an earlier part of the run has taken in */
function createMailbox(known: readonly string[] = []): Mailbox {
  const seen = new Set<string>(known);
  const letters: Letter[] = [];
  let unnamed = 0;
  return {
    post(letter) {
      if (seen.has(letter.event.eventId)) return;
      seen.add(letter.event.eventId);
      letters.push(letter);
    },
    take: () => letters.shift(),
    hasMail: () => letters.length > 0,
    hasWish: () => letters.some(({ message }) => message?.kind === 'cancel' || message?.kind === 'amend'),
    nameless: () => {
      do unnamed++;
      while (seen.has(CAUSE_FORMS.signal(unnamed)));
      return CAUSE_FORMS.signal(unnamed);
    },
    seen: () => [...seen],
  };
}

/** What became of an incoming event. */
interface Handled extends EventName {
  outcome: 'handled' | 'refused';
}
