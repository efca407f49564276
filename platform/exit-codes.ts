/** How a process ends. Scripts and supervisors of others look at these: they are never changed (test/frozen). */
export const EXIT_CODES = {
  done: 0,
  failed: 1,
  /** The command line is not acceptable. */
  usage: 2,
} as const;
