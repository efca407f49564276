import { hostname, userInfo } from 'node:os';
import { readFile } from 'node:fs/promises';
import type { ReplayMode, ReplayOptions } from '../../database/replays.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { ORDER_ID_RULE, isOrderId } from '../../domain/ids.ts';
import type { PlanRequest } from '../../replay/plan.ts';
import { parseSpans } from '../../replay/ranges.ts';

/** Options of `oms replay plan`, as given. */
export interface PlanFlags {
  json?: boolean;
  mode: ReplayMode;
  fromTime?: number;
  toTime?: number;
  offsets?: string;
  order?: string[];
  ordersFile?: string;
  type?: string[];
  topic?: string[];
  to?: string;
  live?: boolean;
  rate: number;
  maxBacklog: number;
  maxLag: number;
  allowStale?: boolean;
  why: string;
  by?: string;
}

export const ORDER_EVENT_TYPES: readonly string[] = ['OrderPlaced', 'OrderAmended', 'OrderCancelled', 'CustomerAction'];
export const TOLD_TOPICS: readonly string[] = ['shipments', 'invoices', 'deliveries', 'order-status'];

/** Who gives this command: noted with every replay. */
export function operator(given: string | undefined): string {
  return given ?? `${userInfo().username}@${hostname()}`;
}

/**
 * What the options ask for, all of it checked.
 * @throws OmsError OMS_REPLAY_INVALID naming option, value and rule; OMS_CLI_INPUT_INVALID for an unreadable file
 */
export async function planRequest(flags: PlanFlags): Promise<PlanRequest> {
  checkTogether(flags);
  const { fromTime = null, toTime = null, rate, maxBacklog, maxLag } = flags;
  if (fromTime !== null && toTime !== null && toTime <= fromTime) {
    throw invalid('to-time', new Date(toTime).toISOString(), 'must be later than --from-time');
  }
  const options: ReplayOptions = {
    from: flags.mode === 're-emit' ? 'outbox' : 'orders',
    orderIds: await orderIdsOf(flags),
    types: typesOf(flags),
    topics: flags.topic?.map((topic) => oneOf('topic', topic, TOLD_TOPICS)) ?? null,
    allowStale: flags.allowStale ?? false,
    to: flags.to ?? null,
    ...{ fromTime, toTime, rate, maxBacklog, maxLag },
  };
  const spans = flags.offsets === undefined ? null : parseSpans(flags.offsets);
  return {
    mode: flags.mode,
    options,
    live: flags.live ?? false,
    spans,
    requestedBy: operator(flags.by),
    reason: reasonOf(flags),
  };
}

/** What only one of the modes knows. */
function checkTogether({ mode, offsets, topic, to, live, allowStale }: PlanFlags): void {
  const emits = mode === 're-emit';
  if (emits && offsets !== undefined) throw invalid('offsets', offsets, 'must not be given: the outbox has none');
  if (emits && allowStale) throw invalid('allow-stale', true, 'must not be given: nothing is started');
  const given = Object.entries({ topic, to, live }).find(([, value]) => value !== undefined);
  if (!emits && given) throw invalid(given[0], given[1], 'must only be given with --mode re-emit');
  if (to !== undefined && live) throw invalid('live', live, 'must not be given with --to');
}

function reasonOf({ why }: PlanFlags): string {
  if (why.trim().length > 0 && why.length <= 1_000) return why.trim();
  throw invalid('why', why, 'must say why, in 1 to 1,000 characters');
}

function typesOf({ mode, type }: PlanFlags): string[] | null {
  if (!type) return null;
  return mode === 're-emit' ? type : type.map((one) => oneOf('type', one, ORDER_EVENT_TYPES));
}

function oneOf(option: string, value: string, known: readonly string[]): string {
  if (known.includes(value)) return value;
  throw invalid(option, value, `must be one of ${known.join(', ')}`);
}

async function orderIdsOf({ order, ordersFile }: PlanFlags): Promise<string[] | null> {
  if (!order && ordersFile === undefined) return null;
  const ids = [...(order ?? []), ...(ordersFile === undefined ? [] : await idsIn(ordersFile))];
  const wrong = ids.find((id) => !isOrderId(id));
  if (wrong !== undefined) throw invalid('order', wrong, ORDER_ID_RULE);
  if (ids.length === 0) throw invalid('orders-file', ordersFile, 'must name at least one order');
  return [...new Set(ids)];
}

async function idsIn(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split(/\s+/).filter((id) => id !== '');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OmsError('OMS_CLI_INPUT_INVALID', `${file}: ${reason}`, { cause: error });
  }
}

function invalid(option: string, value: unknown, rule: string): OmsError {
  return faultError('OMS_REPLAY_INVALID', { field: `--${option}`, value, rule });
}
