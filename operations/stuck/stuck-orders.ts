import type { Client } from '@temporalio/client';
import type { Database } from '../../database/database.ts';
import { waitingOrders } from '../../database/read/waiting-orders.ts';
import type { WaitingOrder, WaitingQuery } from '../../database/read/waiting-orders.ts';
import { diagnose } from './reasons.ts';
import type { Diagnosis } from './reasons.ts';
import { readRun } from './run-state.ts';
import type { PendingActivity } from './run-state.ts';

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
