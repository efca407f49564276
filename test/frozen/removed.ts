/** A name of 0.2.0 that is gone on purpose. */
export interface RemovedName {
  /** The file in test/frozen/0.2.0 that lists it, without `.json`. */
  kind: string;
  name: string;
  /** The issue that says why it had to go, and what takes its place. */
  issue: string;
}

/** Each of these has a line in CHANGELOG.md, too. */
export const REMOVED: readonly RemovedName[] = [];
