/** Why the loop waits; with several partitions handled at once, each for itself. */
export interface Pauses {
  /** `undefined`: the partition goes on. */
  set(place: string, reason: string | undefined): void;
  /** The reason of the partition that has waited longest. */
  reason(): string | undefined;
}

/** `onChange` is told whenever `reason` becomes another one. */
export function createPauses(onChange: (reason: string | undefined) => void): Pauses {
  const reasons = new Map<string, string>();
  const reason = (): string | undefined => reasons.values().next().value;
  return {
    reason,
    set: (place, next) => {
      const before = reason();
      if (next === undefined) reasons.delete(place);
      else reasons.set(place, next);
      if (reason() !== before) onChange(reason());
    },
  };
}
