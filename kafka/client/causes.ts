/** Whether an error, or what it was caused by, is one of these: kafkajs wraps an error when it has asked often enough. */
export function someCause(error: unknown, isOne: (error: unknown) => boolean): boolean {
  if (isOne(error)) return true;
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof Error && someCause(cause, isOne);
}
