import type { Client } from '@temporalio/client';
import type { Database } from '../../database/database.ts';
import { waitingOrders } from '../../database/read/waiting-orders.ts';
import type { WaitingOrder, WaitingQuery } from '../../database/read/waiting-orders.ts';
import { readRun } from './run-state.ts';
import type { PendingActivity, RunState } from './run-state.ts';

/** What an operator can do about an order that waits. */
export const STUCK_ACTIONS = ['retry', 'cancel', 'fail'] as const;
export type StuckAction = (typeof STUCK_ACTIONS)[number];

/** What an order waits for. */
export type WaitsFor =
  | 'order' // an event came before it
  | 'start'
  | 'run'
  | 'worker'
  | 'release'
  | 'payment'
  | 'booking'
  | 'refund'
  | 'capture'
  | 'carrier'
  | 'customer'
  | 'publisher'
  | 'step';

export interface Diagnosis {
  waitsFor: WaitsFor;
  /** For people: what, since what, and what happens by itself. */
  reason: string;
  /** Those that are right and safe now; all others are refused. */
  actions: StuckAction[];
}

/** What each provider step is about, and whether giving the order up interrupts it: undoing is never interrupted. */
const STEPS: Readonly<Record<string, { waitsFor: WaitsFor; canGiveUp: boolean }>> = {
  chargeFulfillments: { waitsFor: 'payment', canGiveUp: true },
  bookShipments: { waitsFor: 'booking', canGiveUp: true },
  refundFulfillments: { waitsFor: 'refund', canGiveUp: false },
  captureFulfillments: { waitsFor: 'capture', canGiveUp: false },
  callOffShipments: { waitsFor: 'carrier', canGiveUp: false },
  trackShipments: { waitsFor: 'carrier', canGiveUp: false },
};
const UNKNOWN_STEP = { waitsFor: 'step', canGiveUp: false } as const;

/**
 * Why an order waits, and what can be done. `run` is null for an order that Temporal was not asked about: it was never
 * started, or is closed.
 */
function diagnose(order: WaitingOrder, run: RunState | null): Diagnosis {
  if (order.ledgerState === 'awaited') return parked(order);
  if (order.ledgerState === 'claimed')
    return {
      waitsFor: 'start',
      reason: 'claimed, and its workflow not started yet: does `oms ingest` run?',
      actions: [],
    };
  if (order.ledgerState === 'closed' || !run) return unsent(order);
  if (run.status !== 'RUNNING') return { ...lost(run), actions: ['retry', 'cancel', 'fail'] };
  return activity(run) ?? task(run) ?? held(order) ?? outside(order, run);
}

function parked({ parked: events }: WaitingOrder): Diagnosis {
  const until = events
    ? `${events.events} events wait for it until ${events.deadline.toISOString()}`
    : 'nothing waits for it';
  return { waitsFor: 'order', reason: `the order has not come; ${until}`, actions: [] };
}

function unsent({ unsent: event }: WaitingOrder): Diagnosis {
  if (!event) return { waitsFor: 'step', reason: 'closed: it waits for nothing', actions: [] };
  const why = event.heldReason
    ? `is held back: ${event.heldReason} (\`oms orders held\`)`
    : 'is not on its topic yet: does `oms publisher` run?';
  return { waitsFor: 'publisher', reason: `event ${event.eventId} ${why}`, actions: [] };
}

function lost({ status }: RunState): Omit<Diagnosis, 'actions'> {
  const how = status === 'NOT_FOUND' ? 'Temporal knows no run of it' : `its run is ${status}`;
  return { waitsFor: 'run', reason: `${how}: nobody goes on with it` };
}

/** The activity that failed most. */
function activity({ activities }: RunState): Diagnosis | undefined {
  const [worst] = activities.toSorted((a, b) => b.attempt - a.attempt);
  if (!worst) return undefined;
  const { waitsFor, canGiveUp } = STEPS[worst.name] ?? UNKNOWN_STEP;
  const next = worst.nextAttemptAt ? `, again at ${worst.nextAttemptAt.toISOString()}` : '';
  const error = worst.lastError ? `: ${worst.lastError}` : '';
  const reason = `${worst.name}, attempt ${worst.attempt}${next}${error}`;
  return { waitsFor, reason, actions: ['retry', ...(canGiveUp ? (['cancel', 'fail'] as const) : [])] };
}

function task({ task: pending }: RunState): Diagnosis | undefined {
  if (!pending) return undefined;
  if (pending.attempt > 1) {
    const reason = `its workflow's step fails, attempt ${pending.attempt}: ${pending.lastError ?? 'unknown'}; the release that mends it goes on by itself`;
    return { waitsFor: 'release', reason, actions: [] };
  }
  return { waitsFor: 'worker', reason: 'no worker has taken its next step: does `oms worker` run?', actions: [] };
}

function held(order: WaitingOrder): Diagnosis | undefined {
  return order.unsent?.heldReason ? unsent(order) : undefined;
}

/** Nothing of ours is at work: somebody outside has to say something. */
function outside(order: WaitingOrder, { waitingFor }: RunState): Diagnosis {
  const { shipments, status } = order;
  if (status === 'customerActionRequired')
    return {
      waitsFor: 'customer',
      reason: 'the customer has not decided about unavailable items',
      actions: ['cancel'],
    };
  if (shipments.length > 0) {
    const isBookedOnly = shipments.every((one) => one === 'booked' || one === 'pending');
    const reason = `the carrier has told nothing new of ${shipments.join(', ')}; it is asked after OMS_CARRIER_OVERDUE, and \`oms carrier update\` tells it`;
    return { waitsFor: 'carrier', reason, actions: isBookedOnly ? ['cancel', 'fail'] : [] };
  }
  const told = waitingFor ? `it waits for ${waitingFor}` : 'a step of its own is tried again, at most a minute apart';
  return { waitsFor: 'step', reason: told, actions: [] };
}

export interface StuckOrder extends Diagnosis {
  orderId: string;
  source: string | null;
  status: string;
  /** When it last moved. */
  since: Date;
  /** What of it Temporal is at; the one that failed most is in `reason`. */
  activities: PendingActivity[];
}

export interface StuckOptions {
  db: Database;
  client: Client;
}

/** So many orders are asked about at once. */
const AT_ONCE = 10;

/**
 * Orders that wait for longer than a limit, the longest waiting first, each with what it waits for and why.
 * @throws OmsError OMS_TEMPORAL_UNAVAILABLE, OMS_DATABASE_UNAVAILABLE
 */
export async function stuckOrders(options: StuckOptions, query: WaitingQuery): Promise<StuckOrder[]> {
  const waiting = await waitingOrders(options.db, query);
  const found: StuckOrder[] = [];
  for (let i = 0; i < waiting.length; i += AT_ONCE) {
    found.push(...(await Promise.all(waiting.slice(i, i + AT_ONCE).map((order) => stuckOrder(options.client, order)))));
  }
  return found;
}

async function stuckOrder(client: Client, order: WaitingOrder): Promise<StuckOrder> {
  const run = order.ledgerState === 'started' ? await readRun(client, order.orderId) : null;
  const { orderId, source, since } = order;
  const status = order.status ?? order.ledgerState;
  return { orderId, source, status, since, ...diagnose(order, run), activities: run?.activities ?? [] };
}
