/** Tells up to where a run of records is finished without a gap, when they finish in any order. O(1) a record. */
export interface Watermark {
  /** The record at this offset is done. Unknown and repeated offsets are ignored. */
  finish(offset: bigint): void;
  finishAll(): void;
  /** The offset to commit: the first one that is not finished. Undefined while not even the first is. */
  next(): bigint | undefined;
  isFinished(offset: bigint): boolean;
  /** How many are not finished. */
  open(): number;
}

/** `offsets` rise; they need not follow each other without gaps. */
export function createWatermark(offsets: readonly bigint[]): Watermark {
  const positions = new Map(offsets.map((offset, position) => [offset, position]));
  const finished = new Uint8Array(offsets.length);
  let prefix = 0;
  let count = 0;
  const advance = (): void => {
    while (finished[prefix] === 1) prefix++;
  };
  return {
    finish: (offset) => {
      const position = positions.get(offset);
      if (position === undefined || finished[position] === 1) return;
      finished[position] = 1;
      count++;
      advance();
    },
    finishAll: () => {
      finished.fill(1);
      count = offsets.length;
      advance();
    },
    next: () => {
      const last = offsets[prefix - 1];
      return last === undefined ? undefined : last + 1n;
    },
    isFinished: (offset) => finished[positions.get(offset) ?? -1] === 1,
    open: () => offsets.length - count,
  };
}
