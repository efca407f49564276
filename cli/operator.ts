import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Operator, StoredDecision } from '../database/decisions.ts';
import { wordsOption } from './options.ts';

/** Adds what every decision of an operator is recorded with. */
export function decidedBy(command: Command): Command {
  return command
    .requiredOption('--why <text>', 'why you decide so; recorded', wordsOption)
    .option('--who <name>', 'who decides; recorded', wordsOption, operatorName());
}

/** Of the account the command runs under. */
export function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `unknown@${hostname()}`; // an account without a name, as in some containers
  }
}

export function operatorOf({ who, why }: Operator): Operator {
  return { who, why };
}

/** A decision as it is shown: without the bytes that were sent. */
export function shownDecision({ action, who, why, at, doneAt, outcome }: StoredDecision) {
  return { action, who, why, at, doneAt, outcome };
}
