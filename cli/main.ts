import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { isOmsError } from '../domain/errors.ts';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import { givenSetting } from '../platform/config/environment.ts';
import { createProgram } from './program.ts';

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
