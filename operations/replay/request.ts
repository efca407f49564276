import { readFile } from 'node:fs/promises';
import type { ReplayOptions } from '../../database/replays/replays.ts';
import { CARRIER_STATUSES } from '../../domain/carrier-status.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { ORDER_ID_RULE, isOrderId, isShipmentId } from '../../domain/ids.ts';
import { OUTBOX_MODES, replayRules } from '../../domain/replay-modes.ts';
import type { ReplayMode } from '../../domain/replay-modes.ts';
import { OUTGOING_TOPICS } from '../../kafka/topics.ts';
import type { PlanRequest } from './plan.ts';
import { parseSpans } from './ranges.ts';

/** What an operator asks of a plan, as it is given: nothing of it is checked yet. */
export interface PlanWords {
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
 * What is asked for, all of it checked.
 * @throws OmsError OMS_REPLAY_INVALID naming option, value and rule; OMS_CLI_INPUT_INVALID for an unreadable file
 */
export async function planRequest(asked: PlanWords): Promise<PlanRequest> {
  checkTogether(asked);
  const { fromTime = null, toTime = null, rate, maxBacklog, maxLag } = asked;
  if (fromTime !== null && toTime !== null && toTime <= fromTime) {
    throw invalid('to-time', new Date(toTime).toISOString(), 'must be later than --from-time');
  }
  const options: ReplayOptions = {
    from: emits(asked.mode) ? 'outbox' : (asked.from ?? 'orders'),
    orderIds: await orderIdsOf(asked),
    keys: keysOf(asked),
    types: typesOf(asked),
    topics: asked.topic?.map((topic) => oneOf('topic', topic, OUTGOING_TOPICS)) ?? null,
    allowStale: asked.allowStale ?? false,
    to: asked.to ?? null,
    ...{ fromTime, toTime, rate, maxBacklog, maxLag },
  };
  const spans = asked.offsets === undefined ? null : parseSpans(asked.offsets);
  return {
    mode: asked.mode,
    options,
    live: asked.live ?? false,
    spans,
    requestedBy: asked.by,
    reason: reasonOf(asked),
  };
}

/** Whether events of the outbox are sent again, instead of a topic being read. */
const emits = (mode: ReplayMode): boolean => replayRules(mode).reads === 'outbox';

/** What only some modes and topics know. */
function checkTogether(asked: PlanWords): void {
  const { mode, from, offsets, to, live, allowStale } = asked;
  if (emits(mode) && from !== undefined)
    throw invalid('from', from, 'must not be given: events are told again from the outbox');
  if (emits(mode) && offsets !== undefined) throw invalid('offsets', offsets, 'must not be given: the outbox has none');
  if (emits(mode) && allowStale) throw invalid('allow-stale', true, 'must not be given: nothing is started');
  const ofEvents = Object.entries({ topic: asked.topic, to, live }).find(([, value]) => value !== undefined);
  if (!emits(mode) && ofEvents)
    throw invalid(ofEvents[0], ofEvents[1], `must only be given with --mode ${OUTBOX_MODES.join(', ')}`);
  if (to !== undefined && live) throw invalid('live', live, 'must not be given with --to');
  checkTopic(asked);
}

/** What only the records of some topics have. */
function checkTopic({ mode, from = 'orders', ...asked }: PlanWords): void {
  const has = emits(mode) ? ['order', 'type'] : (FILTERS[from] ?? ['order', 'type']);
  const { order, ordersFile, shipment, sku, type, allowStale } = asked;
  const given = { order: order ?? ordersFile, shipment, sku, type, 'allow-stale': allowStale };
  const wrong = Object.entries(given).find(([name, value]) => value !== undefined && !has.includes(name));
  if (wrong) throw invalid(wrong[0], wrong[1], `must not be given: ${emits(mode) ? 'events' : from} have none`);
}

const FILTERS: Readonly<Record<string, readonly string[]>> = {
  orders: ['order', 'type', 'allow-stale'],
  'carrier-updates': ['order', 'shipment', 'type'],
  'stock-levels': ['sku'],
};

function reasonOf({ why }: PlanWords): string {
  if (why.trim().length > 0 && why.length <= 1_000) return why.trim();
  throw invalid('why', why, 'must say why, in 1 to 1,000 characters');
}

/** Types that are known beforehand are checked; those of told events and dead letters may be any. */
function typesOf({ mode, from = 'orders', type }: PlanWords): string[] | null {
  const known = emits(mode) ? undefined : TYPES[from];
  return type?.map((one) => (known ? oneOf('type', one, known) : one)) ?? null;
}

function keysOf({ shipment, sku }: PlanWords): string[] | null {
  const wrong = shipment?.find((id) => !isShipmentId(id));
  if (wrong !== undefined) throw invalid('shipment', wrong, 'must be a shipment id, <order id>:<n>');
  const keys = shipment ?? sku;
  return keys ? [...new Set(keys)] : null;
}

function oneOf(option: string, value: string, known: readonly string[]): string {
  if (known.includes(value)) return value;
  throw invalid(option, value, `must be one of ${known.join(', ')}`);
}

async function orderIdsOf({ order, ordersFile }: PlanWords): Promise<string[] | null> {
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
