import { Command, CommanderError } from 'commander';
import { isOmsError } from '../domain/errors.ts';
import { givenSetting } from '../platform/config/environment.ts';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import { COMMANDS } from './commands.ts';
import type { CommandEntry } from './commands.ts';

/** Runs one command line and resolves with the exit code: 0 done, 1 failed, 2 not acceptable. Never rejects. */
export async function main(given: readonly string[]): Promise<number> {
  // `oms help orders show` is `oms orders show --help`; Commander's own help command knows one level only.
  const words = given[0] === 'help' ? [...given.slice(1), '--help'] : given;
  const json = words.includes('--json');
  try {
    const program = await createProgram(words);
    prepare(program, json);
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? EXIT_CODES.done);
  } catch (error) {
    return report(error, json);
  }
}

/** Commander throws instead of exiting, suggests the nearest command, and answers in JSON where JSON is asked for. */
function prepare(command: Command, json: boolean): void {
  command.exitOverride().showSuggestionAfterError(true);
  command.configureOutput({ outputError: (text, write) => write(json ? usageJson(text) : text) });
  if (!json) command.showHelpAfterError(`(oms ${pathOf(command)}--help shows what is)`);
  for (const child of command.commands) prepare(child, json);
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)}${command.name()} ` : '';
}

const usageJson = (text: string): string =>
  `${JSON.stringify({ error: { code: 'OMS_CLI_USAGE', message: text.trim().replace(/^error: /, '') } })}\n`;

function report(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
  const known = isOmsError(error) ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const told = json
    ? JSON.stringify({ error: { code: known?.code ?? 'UNEXPECTED', message, fault: known?.fault } })
    : `error: ${message}${known ? `\n(${known.code}: docs/errors.md)` : ''}`;
  process.stderr.write(`${told}\n`);
  const stack = error instanceof Error ? error.stack : undefined;
  if (stack && !json && (!known || givenSetting('OMS_DEBUG') === 'true')) process.stderr.write(`${stack}\n`);
  return known?.code === 'OMS_CLI_USAGE' ? EXIT_CODES.usage : EXIT_CODES.failed;
}

const VERSION = '0.2.0';

const ENDINGS = `
Exit codes: ${EXIT_CODES.done} done, ${EXIT_CODES.failed} failed, ${EXIT_CODES.usage} the command line is not acceptable.
Every command takes --json, for output that programs read, and shows examples with --help.`;

/**
 * The program as far as `words` need it: the command they name is loaded, all others are only listed, so that a
 * command starts without importing what it does not use.
 */
async function createProgram(words: readonly string[]): Promise<Command> {
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
