import type { EventName, Letter } from '../domain/messages.ts';

/** What is wanted of the running order: each event once, in the order it came. */
export interface Mailbox {
  /** Takes a letter in, unless its event was taken in before. */
  post(letter: Letter): void;
  /** The next letter; undefined when there is none. */
  take(): Letter | undefined;
  hasMail(): boolean;
  /** Something waits that should stop what is being done. */
  hasCancel(): boolean;
  /** A name for the next message, should it come without an event id: which one it is, counted from 1. */
  nameless(): string;
}

export function createMailbox(): Mailbox {
  const seen = new Set<string>();
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
    hasCancel: () => letters.some((letter) => letter.message?.kind === 'cancel'),
    nameless: () => `signal-${++unnamed}`,
  };
}

/** What became of an incoming event. */
export interface Handled extends EventName {
  outcome: 'handled' | 'refused';
}
