import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets the heap, and the buffers that hang on it, grow to a multiple of what is alive before it looks again. Here the
 * nursery stays small, also in a process that runs already, and it looks after half as much.
 */
const FLAGS = ['--max-semi-space-size=8', '--semi-space-growth-factor=1', '--heap-growing-percent=50'];

/**
 * For commands that read records at full speed: what they read is garbage at once, and piles up no more. Planning a replay of
 * 460,000 orders took 365 to 390 MB at its peak with the first two flags alone, 225 to 240 MB with all, for a fifth more
 * processor time.
 */
export function keepGarbageSmall(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
