import { Command } from 'commander';
import { cliConfig, localStateDir } from '../local/settings.ts';
import { aclLines } from '../operations/setup/acls.ts';
import type { SetupStep } from '../operations/setup/steps.ts';
import { commandResources } from '../resources/profiles.ts';
import { examples, note, print, printJson } from './output.ts';

interface SetupFlags {
  json?: boolean;
  printAcls?: boolean;
  allowRepartition?: boolean;
  adopt?: boolean;
}

/** `oms setup` */
export function createCommand(): Command {
  return new Command()
    .option(
      '--print-acls',
      'print the least-privilege kafka-acls commands of each role and of operators, and change nothing',
    )
    .option('--allow-repartition', 'add partitions to topics that hold records (keys move to other partitions)')
    .option(
      '--adopt',
      'mark topics and namespace with the deployment id of this database, whatever they carry; and take what ingest has committed as dealt with',
    )
    .addHelpText('after', examples('oms setup', 'oms setup --json', 'oms setup --print-acls > acls.sh'))
    .action(async (flags: SetupFlags) => (flags.printAcls ? printAcls(flags) : setup(flags)));
}

async function printAcls(flags: SetupFlags): Promise<void> {
  const acls = aclLines((await cliConfig()).OMS_PREFIX);
  if (flags.json) return printJson(acls);
  print(acls.map(({ role, lines }) => `# ${role}\n${lines.join('\n')}`).join('\n\n'));
}

async function setup(flags: SetupFlags): Promise<void> {
  const { runSetup } = await import('../operations/setup/run-setup.ts');
  const config = await cliConfig();
  await using resources = commandResources(config);
  const steps: SetupStep[] = [];
  const report = (step: SetupStep): void => {
    steps.push(step);
    if (!flags.json) print(lineOf(step));
  };
  const { allowRepartition, adopt } = flags;
  try {
    const result = await runSetup(resources, report, {
      allowRepartition,
      adopt,
      stateDir: await localStateDir(config),
    });
    if (flags.json) printJson(result);
    else note('Everything is set up.');
  } catch (error) {
    if (flags.json) printJson({ steps });
    throw error;
  }
}

const SIGNS = { created: '+', mended: '~', unchanged: '=', kept: '=', info: 'i', drift: '!' } as const;

/** One line a thing: what was done, to what, and how it is. */
function lineOf({ part, outcome, detail }: SetupStep): string {
  return `${SIGNS[outcome]} ${outcome.padEnd(9)} ${part.padEnd(30)} ${detail}`;
}
