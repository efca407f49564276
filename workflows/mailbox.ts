import { CAUSE_FORMS } from '../domain/causes.ts';
import type { EventName, Letter } from '../domain/messages.ts';

/** What is wanted of the running order: each event once, in the order it came. */
export interface Mailbox {
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
export function createMailbox(known: readonly string[] = []): Mailbox {
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
export interface Handled extends EventName {
  outcome: 'handled' | 'refused';
}
