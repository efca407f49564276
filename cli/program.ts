import { Command } from 'commander';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import { COMMANDS } from './commands.ts';
import type { CommandEntry } from './commands.ts';

const VERSION = '0.2.0';

const ENDINGS = `
Exit codes: ${EXIT_CODES.done} done, ${EXIT_CODES.failed} failed, ${EXIT_CODES.usage} the command line is not acceptable.
Every command takes --json, for output that programs read, and shows examples with --help.`;

/**
 * The program as far as `words` need it: the command they name is loaded, all others are only listed, so that a
 * command starts without importing what it does not use.
 */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('oms')
    .description('Order management: order events become fulfilled orders.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    // Behind a command, --version is that command's own.
    .enablePositionalOptions()
    .addHelpText('after', ENDINGS);
  await addCommands(
    program,
    COMMANDS,
    words.filter((word) => !word.startsWith('-')),
  );
  return program;
}

async function addCommands(
  parent: Command,
  entries: Readonly<Record<string, CommandEntry>>,
  path: readonly string[],
): Promise<void> {
  const [wanted, ...rest] = path;
  for (const [name, entry] of Object.entries(entries)) {
    parent.addCommand(await commandOf(name, entry, name === wanted ? rest : undefined));
  }
}

/** `rest` is undefined for a command that is only listed. */
async function commandOf(name: string, entry: CommandEntry, rest: readonly string[] | undefined): Promise<Command> {
  if ('commands' in entry) {
    const group = new Command(name).description(entry.about);
    await addCommands(group, entry.commands, rest ?? []);
    return group;
  }
  if (!rest) return new Command(name).description(entry.about);
  const command = (await entry.load()).createCommand().name(name).description(entry.about);
  return command.option('--json', 'print JSON');
}
