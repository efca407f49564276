import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import type { Finding, Level } from '../operations/doctor/finding.ts';
import type { Diagnosis } from '../operations/doctor/run-doctor.ts';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import { doctorResources } from '../resources/profiles.ts';
import { numberOption } from './options.ts';
import { examples, printResult, table } from './output.ts';

const SECOND_MS = 1_000;

/** `oms doctor` */
export function createCommand(): Command {
  return new Command()
    .option('--timeout <seconds>', 'how long each check may take', numberOption(0.1), 10)
    .addHelpText('after', '\nLooks at everything at once and changes nothing; exits with 1 when something is wrong.')
    .addHelpText('after', examples('oms doctor', 'oms doctor --timeout 3', 'oms doctor --json'))
    .action(async (flags: { json?: boolean; timeout: number }) => {
      const { runDoctor } = await import('../operations/doctor/run-doctor.ts');
      const limitMs = flags.timeout * SECOND_MS;
      await using resources = doctorResources(await cliConfig(), limitMs);
      const diagnosis = await runDoctor(resources, limitMs);
      printResult(flags, diagnosis, () => textOf(diagnosis));
      if (!diagnosis.ok) process.exitCode = EXIT_CODES.failed;
    });
}

function textOf({ findings, ports }: Diagnosis): string {
  const map = table(
    ['WHAT', 'WHERE', 'SETTING', 'STATE'],
    ports.map(({ what, where, setting, state }) => [what, where, setting, state]),
  );
  return [findings.map(linesOf).join('\n'), map, summary(findings)].join('\n\n');
}

const SIGNS: Readonly<Record<Level, string>> = { ok: '=', warning: '~', fault: '!', skipped: '-' };

/** One thing: how it is, and below it what mends it. */
function linesOf({ check, about, level, detail, code, fix }: Finding): string {
  const head = `${SIGNS[level]} ${level.padEnd(8)} ${check.padEnd(11)}`;
  const said = [about, detail].filter(Boolean).join(': ');
  return [
    `${head} ${said}${code ? ` (${code})` : ''}`,
    ...(fix ? [`${' '.repeat(head.length)} fix: ${fix}`] : []),
  ].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((one) => one.level === level).length;
  const faults = count('fault');
  if (faults === 0 && count('warning') === 0) return 'Nothing is wrong.';
  const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  return `${plural(faults, 'fault')}, ${plural(count('warning'), 'warning')}, ${count('skipped')} not looked at.`;
}
