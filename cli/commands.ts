import type { Command } from 'commander';

/** A command's module: it is loaded only when the command is run or its help is shown. */
export interface CommandModule {
  /** The command with its options, examples and action. */
  createCommand(): Command;
}

/** One command, or a group of them. */
export type CommandEntry =
  | { about: string; load: () => Promise<CommandModule> }
  | { about: string; commands: Readonly<Record<string, CommandEntry>> };

/** Every command, in the order the help lists them. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  config: {
    about: 'The configuration in force.',
    commands: { show: { about: 'Print every setting, secrets hidden.', load: () => import('./config-show.ts') } },
  },
};
