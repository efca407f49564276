import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { LedgerState } from '../../database/tables/ledger.ts';
import { isFinalFulfillment, isFinalOrder } from '../../domain/status.ts';
import type { FulfillmentStatus, OrderStatus } from '../../domain/status.ts';
import type { AuditCode, Difference, OrderCheck, Remedy } from './difference.ts';

interface Row {
  orderId: string;
  state: LedgerState | null;
  runId: string | null;
  isStale: boolean | null;
  status: OrderStatus | null;
  orderRunId: string | null;
  parts: FulfillmentStatus[] | null;
}

/** Ledger ↔ order state: each order has both, and they agree. */
export function ledgerCheck(db: Database, graceMs: number): OrderCheck {
  return async (orderIds) => {
    const { rows } = await sql<Row>`
      select given.order_id as "orderId", l.state, l.run_id as "runId", o.status, o.run_id as "orderRunId",
        l.claimed_at < clock_timestamp() - make_interval(secs => ${graceMs / 1_000}) as "isStale",
        (select json_agg(f.status) from fulfillments f where f.order_id = given.order_id) as parts
      from unnest(${[...orderIds]}::text[]) as given(order_id)
      left join ledger l on l.order_id = given.order_id
      left join orders o on o.order_id = given.order_id
    `.execute(db);
    return rows.flatMap(judge);
  };
}

function judge(row: Row): Difference[] {
  const { orderId, state, runId, status } = row;
  const found = (code: AuditCode, detail: string, remedy: Remedy | null = null): Difference[] => [
    { part: 'ledger', code, orderId, subject: orderId, detail, remedy },
  ];
  if (status !== null && (state === null || state === 'awaited'))
    return found('OMS_AUDIT_LEDGER_MISSING', `order is ${status}, ledger has ${state ?? 'no row'}`);
  if (state === null) return [];
  if (status === null && (runId !== null || state === 'closed'))
    return found('OMS_AUDIT_ORDER_MISSING', `ledger is ${state} for run ${runId ?? 'unknown'}, there is no order`);
  if (state === 'claimed' && row.isStale)
    return found('OMS_AUDIT_CLAIM_STALE', 'claimed, and its start never confirmed', 'startAgain');
  return status === null ? [] : disagreement(row, status, found);
}

function disagreement(
  { state, runId, orderRunId, parts }: Row,
  status: OrderStatus,
  found: (code: AuditCode, detail: string) => Difference[],
): Difference[] {
  const differs = (detail: string): Difference[] => found('OMS_AUDIT_STATE_DIFFERS', detail);
  if ((state === 'closed') !== isFinalOrder(status)) return differs(`ledger is ${state}, order is ${status}`);
  // Empty between two runs, while an operator hands the order over.
  if (runId !== null && runId !== orderRunId) return differs(`ledger has run ${runId}, order has run ${orderRunId}`);
  const open = parts?.filter((part) => !isFinalFulfillment(part)) ?? [];
  if (isFinalOrder(status) && open.length > 0) return differs(`order is ${status}, parts are ${parts?.join(', ')}`);
  return [];
}
