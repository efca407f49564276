import { readFile } from 'node:fs/promises';
import type { ReplayMode, ReplayOptions } from '../../database/replays/replays.ts';
import { CARRIER_STATUSES } from '../../domain/carrier-status.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { ORDER_ID_RULE, isOrderId, isShipmentId } from '../../domain/ids.ts';
import { OUTGOING_TOPICS } from '../../kafka/topics.ts';
import type { PlanRequest } from '../../operations/replay/plan.ts';
import { parseSpans } from '../../operations/replay/ranges.ts';

/** Options of `oms replay plan`, as given. */
export interface PlanFlags {
  json?: boolean;
  mode: ReplayMode;
  from?: string;
  fromTime?: number;
  toTime?: number;
  offsets?: string;
  order?: string[];
  ordersFile?: string;
  shipment?: string[];
  sku?: string[];
  type?: string[];
  topic?: string[];
  to?: string;
  live?: boolean;
  rate: number;
  maxBacklog: number;
  maxLag: number;
  allowStale?: boolean;
  why: string;
  by: string;
}

/** Types of the records of a topic that has them: of an order event, or of a carrier's news its status. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  orders: ['OrderPlaced', 'OrderAmended', 'OrderCancelled', 'CustomerAction'],
  'carrier-updates': CARRIER_STATUSES,
};

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
    from: flags.mode === 're-emit' ? 'outbox' : (flags.from ?? 'orders'),
    orderIds: await orderIdsOf(flags),
    keys: keysOf(flags),
    types: typesOf(flags),
    topics: flags.topic?.map((topic) => oneOf('topic', topic, OUTGOING_TOPICS)) ?? null,
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
    requestedBy: flags.by,
    reason: reasonOf(flags),
  };
}

/** What only some modes and topics know. */
function checkTogether(flags: PlanFlags): void {
  const { mode, from, offsets, to, live, allowStale } = flags;
  const emits = mode === 're-emit';
  if (emits && from !== undefined)
    throw invalid('from', from, 'must not be given: events are told again from the outbox');
  if (emits && offsets !== undefined) throw invalid('offsets', offsets, 'must not be given: the outbox has none');
  if (emits && allowStale) throw invalid('allow-stale', true, 'must not be given: nothing is started');
  const ofEvents = Object.entries({ topic: flags.topic, to, live }).find(([, value]) => value !== undefined);
  if (!emits && ofEvents) throw invalid(ofEvents[0], ofEvents[1], 'must only be given with --mode re-emit');
  if (to !== undefined && live) throw invalid('live', live, 'must not be given with --to');
  checkTopic(flags);
}

/** What only the records of some topics have. */
function checkTopic({ mode, from = 'orders', ...flags }: PlanFlags): void {
  const has = mode === 're-emit' ? ['order', 'type'] : (FILTERS[from] ?? ['order', 'type']);
  const { order, ordersFile, shipment, sku, type, allowStale } = flags;
  const given = { order: order ?? ordersFile, shipment, sku, type, 'allow-stale': allowStale };
  const wrong = Object.entries(given).find(([name, value]) => value !== undefined && !has.includes(name));
  if (wrong) throw invalid(wrong[0], wrong[1], `must not be given: ${mode === 're-emit' ? 'events' : from} have none`);
}

const FILTERS: Readonly<Record<string, readonly string[]>> = {
  orders: ['order', 'type', 'allow-stale'],
  'carrier-updates': ['order', 'shipment', 'type'],
  'stock-levels': ['sku'],
};

function reasonOf({ why }: PlanFlags): string {
  if (why.trim().length > 0 && why.length <= 1_000) return why.trim();
  throw invalid('why', why, 'must say why, in 1 to 1,000 characters');
}

/** Types that are known beforehand are checked; those of told events and dead letters may be any. */
function typesOf({ mode, from = 'orders', type }: PlanFlags): string[] | null {
  const known = mode === 're-emit' ? undefined : TYPES[from];
  return type?.map((one) => (known ? oneOf('type', one, known) : one)) ?? null;
}

function keysOf({ shipment, sku }: PlanFlags): string[] | null {
  const wrong = shipment?.find((id) => !isShipmentId(id));
  if (wrong !== undefined) throw invalid('shipment', wrong, 'must be a shipment id, <order id>:<n>');
  const keys = shipment ?? sku;
  return keys ? [...new Set(keys)] : null;
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
