import { Command, InvalidArgumentError } from 'commander';
import { OmsError } from '../../domain/errors.ts';
import { assertOrderId } from '../../domain/ids.ts';
import { cliConfig } from '../../local/settings.ts';
import type { ActOptions } from '../../operations/stuck/actions.ts';
import type { StuckOrder } from '../../operations/stuck/reasons.ts';
import type { Config } from '../../platform/config/settings.ts';
import { duration } from '../../platform/config/types.ts';
import { withCommandResources } from '../../resources/clients.ts';
import { countOption, operatorName, wordsOption } from '../options.ts';
import { examples, printResult, table } from '../output.ts';

interface StuckFlags {
  json?: boolean;
  olderThan?: number;
  limit: number;
  why?: string;
  who: string;
}

const HOUR_MS = 3_600_000;

/** `oms orders stuck [ACTION ID]` */
export function createCommand(): Command {
  return new Command()
    .argument('[action]', 'retry, cancel or fail; without one: list')
    .argument('[id]', 'order id')
    .option('--older-than <duration>', 'list orders that have not moved for so long (default: 1h)', durationOption)
    .option('--limit <rows>', 'most rows, the longest waiting first', countOption(1), 50)
    .option('--why <text>', 'why you decide so; required for an action, and recorded', wordsOption)
    .option('--who <name>', 'who decides; recorded', wordsOption, operatorName())
    .addHelpText('after', HELP)
    .addHelpText(
      'after',
      examples(
        'oms orders stuck --older-than 15m',
        "oms orders stuck retry 536365 --why 'the provider is back'",
        "oms orders stuck fail 536365 --why 'the carrier has gone out of business' --json",
      ),
    )
    .action(async (action: string | undefined, id: string | undefined, flags: StuckFlags) =>
      action === undefined ? list(flags) : act(action, id, flags),
    );
}

const HELP = `
retry   tries the provider step that waits now, or gives an order whose run is gone a new one
cancel  calls the order off as upstream would, with all compensation
fail    the same, and the order ends as failed: it could not be carried out
An action that would change nothing, or is not safe as the order stands, is refused. Steps are never skipped.`;

function durationOption(text: string): number {
  const read = duration().safeParse(text);
  if (read.success) return read.data;
  throw new InvalidArgumentError(read.error.issues.map(({ message }) => message).join('; '));
}

async function list(flags: StuckFlags): Promise<void> {
  const { stuckOrders } = await import('../../operations/stuck/reasons.ts');
  const query = { olderThanMs: flags.olderThan ?? HOUR_MS, limit: flags.limit };
  const orders = await withParts(await cliConfig(), (parts) => stuckOrders(parts, query));
  printResult(flags, orders, () => (orders.length === 0 ? 'No order waits for so long.' : listText(orders)));
}

function listText(orders: readonly StuckOrder[]): string {
  return table(
    ['ORDER', 'STATUS', 'SINCE', 'WAITS FOR', 'ACTIONS', 'WHY'],
    orders.map(({ orderId, status, since, waitsFor, actions, reason }) => [
      ...[orderId, status, since.toISOString(), waitsFor, actions.join(' ') || '-'],
      reason.slice(0, 200),
    ]),
  );
}

async function act(word: string, id: string | undefined, flags: StuckFlags): Promise<void> {
  const { actOnStuck, stuckAction } = await import('../../operations/stuck/actions.ts');
  const action = stuckAction(word);
  const orderId = assertOrderId(id ?? '', 'order id', 'OMS_CLI_USAGE');
  const { who, why } = flags;
  if (!why) throw new OmsError('OMS_CLI_USAGE', 'an action needs --why: it is recorded');
  const request = { orderId, action, by: { who, why } };
  const acted = await withParts(await cliConfig(), (parts) => actOnStuck(parts, request));
  printResult(flags, acted, () =>
    [`Order ${orderId}: ${acted.done}.`, `oms orders show ${orderId}  tells what came of it.`].join('\n'),
  );
}

async function withParts<T>(config: Config, work: (parts: ActOptions) => Promise<T>): Promise<T> {
  const { stuckParts } = await import('../../operations/stuck/parts.ts');
  return withCommandResources(config, async (resources) => work(await stuckParts(resources)));
}
