import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_REPLAY_MODE, REPLAY_MODE_NAMES, replayRules } from '../../domain/replay-modes.ts';
import type { ReplayMode } from '../../domain/replay-modes.ts';
import type { PlanWords } from '../../operations/replay/request.ts';
import { countOption, numberOption, operatorName, wordsOption } from '../options.ts';
import { examples, note, print, printJson } from '../output.ts';

const ABOUT = `
Nothing is changed by a plan: it freezes the range as it stands now, looks at every record of it as its consumer would, and
says what a run would do. Modes:
${REPLAY_MODE_NAMES.map(modeLine).join('\n')}
docs/replay.md is the guide.`;

function modeLine(mode: ReplayMode): string {
  const [width, indent] = [Math.max(...REPLAY_MODE_NAMES.map((name) => name.length)), '  '];
  const [first, ...rest] = replayRules(mode).about;
  return [`${indent}${mode.padEnd(width)}${indent}${first}`, ...rest.map((line) => ' '.repeat(width + 4) + line)].join(
    '\n',
  );
}

/** `oms replay plan` */
export function createCommand(): Command {
  return new Command()
    .addOption(new Option('--mode <mode>', 'what to do').choices(REPLAY_MODE_NAMES).default(DEFAULT_REPLAY_MODE))
    .option(
      '--from <topic>',
      'orders, carrier-updates or stock-levels; to validate also a topic of ours, or one a replay told events on (default: orders)',
    )
    .requiredOption('--why <text>', 'why: noted for ever')
    .option('--by <name>', 'who', wordsOption, operatorName())
    .option('--from-time <time>', 'only what is not older, ISO 8601', timeOption)
    .option('--to-time <time>', 'only what is older', timeOption)
    .option('--offsets <spans>', 'only these offsets, e.g. 0:100-199,3:5000-,7')
    .option('--order <ids...>', 'only these orders')
    .option('--orders-file <file>', 'only the orders of this file, one id a line')
    .option('--shipment <ids...>', 'carrier-updates: only these shipments')
    .option('--sku <skus...>', 'stock-levels: only these SKUs')
    .option(
      '--type <types...>',
      'only these types: OrderPlaced; of carrier-updates dispatched; of told events ShipmentBooked; of orders.dlq a code',
    )
    .option('--topic <topics...>', 're-emit: only events of these topics')
    .option('--to <topic>', 're-emit: the topic to tell them on (default: one of its own)')
    .option('--live', 're-emit: tell them on the live topics they came from')
    .option(
      '--rate <effects per second>',
      'records with an effect, or events told, at most; 0 = no limit',
      numberOption(0),
      0,
    )
    .option(
      '--max-backlog <tasks>',
      'wait while more workflow tasks wait for a worker; 0 = never',
      countOption(0),
      1_000,
    )
    .option(
      '--max-lag <records>',
      'wait while more live records wait for ingest or publisher; 0 = never',
      countOption(0),
      10_000,
    )
    .option('--allow-stale', 'take as new what is older than the memory of ledger and Temporal')
    .addHelpText('after', ABOUT)
    .addHelpText(
      'after',
      examples(
        "oms replay plan --why 'orders of Monday were skipped' --from-time 2026-03-02T00:00Z --to-time 2026-03-03T00:00Z",
        "oms replay plan --from carrier-updates --order 536365 --why 'the carrier sent its news of May again'",
        "oms replay plan --from stock-levels --sku 85123A --from-time 2026-03-02 --why 'levels were skipped'",
        "oms replay plan --mode validate --from shipments --why 'a reader says it saw events twice'",
        "oms replay plan --mode validate --type OrderPlaced --why 'before the upgrade' --json",
        "oms replay plan --mode re-emit --topic shipments invoices --order 536365 --why 'warehouse lost them'",
        "oms replay plan --mode re-emit --live --rate 200 --why 'new invoice archive'",
      ),
    )
    .action(plan);
}

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A day begins at midnight, UTC. */
function timeOption(text: string): number {
  const time = Date.parse(text);
  if (TIME.test(text) && !Number.isNaN(time)) return time;
  throw new InvalidArgumentError('must be a time with its zone, or a day: 2026-03-02T08:00:00Z, 2026-03-02');
}

async function plan(flags: PlanWords & { json?: boolean }): Promise<void> {
  const { planRequest } = await import('../../operations/replay/request.ts');
  const request = await planRequest(flags);
  const { createProgressView, withReplaySession } = await import('./foreground.ts');
  const { planReplay } = await import('../../operations/replay/plan.ts');
  const { planText, replayHead } = await import('./text.ts');
  const json = flags.json ?? false;
  const replay = await withReplaySession(async (parts, signal) => {
    let view: ReturnType<typeof createProgressView> | undefined;
    try {
      return await planReplay(parts, request, {
        signal,
        onWait: (reason) => view?.wait(reason),
        onProgress: (stand) => (view ??= createProgressView('plan', stand.total, json)).to(stand),
      });
    } finally {
      view?.end();
    }
  });
  if (json) return printJson(replay);
  print(`${replayHead(replay)}\n\n${planText(replay)}`);
  note(`\nRun it with \`oms replay run ${replay.replayId}\`.`);
}
