import { isOmsError } from '../../domain/errors.ts';

/** A dead letter that a rule about decisions keeps from being decided about. */
export interface Skipped {
  id: string;
  outcome: 'skipped';
  code: string;
  message: string;
}

/** A rule about one letter does not stop the others; a part that is away does. */
export function skipped(id: string, error: unknown): Skipped {
  if (!isOmsError(error) || error.retryable) throw error;
  return { id, outcome: 'skipped', code: error.code, message: error.message };
}

export const reasonOf = ({ code, message }: { code: string; message: string }): string => `${code}: ${message}`;
