import { Client } from '@temporalio/client';
import { transaction } from '../../database/database.ts';
import { deadLetterId } from '../../database/dead-letters.ts';
import { claimOrders, recordEvents } from '../../database/ledger/ledger.ts';
import type { Claim, DoneEvent } from '../../database/ledger/ledger.ts';
import { keepParked, parkEvents } from '../../database/ledger/parked-events.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import { ORDER_WORKFLOW } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { committedOffsets } from '../../kafka/consumer/lag.ts';
import { decodeRecords, fingerprint, lifecycleRecord } from '../../orders/intake/order-event.ts';
import type { IncomingEvent, LifecycleEvent, PlacedEvent } from '../../orders/intake/order-event.ts';
import { temporalError } from '../../temporal/order-workflows.ts';
import { ordersKnown } from './order/outbox.ts';
import { readAll } from './topics.ts';
import type { RebuildContext } from './topics.ts';

/** Orders asked of Temporal by one query. */
const IDS_PER_QUERY = 100;
/** Order ids named of those nobody has a trace of. */
const NAMED = 100;

/** What the topic `orders` told of orders that nothing else knows. */
export interface OrdersRead {
  /** Taken by ingest, and neither the topics nor Temporal have a trace of them. */
  untraced: { count: number; orderIds: string[] };
}

/**
 * Fills the ledger from the topic `orders`: every order that was told of, or that Temporal knows, is claimed with its
 * fingerprint and bytes; its other events are kept beside it, to be told again to the run that goes on. What ingest has not
 * committed yet is left to it.
 */
export async function readOrders(context: RebuildContext): Promise<OrdersRead> {
  const { admin, config, temporal } = context;
  const committed = await committedOffsets(admin, config.OMS_PREFIX);
  const client = new Client({ connection: temporal, namespace: config.TEMPORAL_NAMESPACE });
  const untraced = new Set<string>();
  let count = 0;
  await readAll(context, ['orders'], async (_kind, records) => {
    const events = await takenEvents(context, records);
    const known = await knownOrders(context, client, events);
    const isCommitted = ({ record }: IncomingEvent): boolean => record.offset < (committed.get(record.partition) ?? 0n);
    const traced = events.filter((event) => known.has(event.orderId));
    const others = events.filter((event) => !known.has(event.orderId) && isCommitted(event));
    await keep(
      context,
      traced,
      isCommitted,
      others.filter((event) => event.kind === 'lifecycle'),
    );
    for (const { orderId } of others.filter((event) => event.kind === 'placed')) {
      count++;
      if (untraced.size < NAMED) untraced.add(orderId);
    }
  });
  return { untraced: { count, orderIds: [...untraced] } };
}

/** Readable events that are no dead letters. */
async function takenEvents(
  { codec, db }: RebuildContext,
  records: readonly ConsumedRecord[],
): Promise<IncomingEvent[]> {
  const decoded = await decodeRecords(codec, records[0]?.topic ?? '', records);
  const events = decoded.filter((one) => one.kind !== 'poison');
  const ids = new Map(events.map((event) => [deadLetterId(storedRecord(event.record)), event]));
  if (ids.size === 0) return [];
  const refused = await db
    .selectFrom('dead_letters')
    .select('id')
    .where('id', 'in', [...ids.keys()])
    .execute();
  for (const { id } of refused) ids.delete(id);
  return [...ids.values()];
}

async function knownOrders(
  { db }: RebuildContext,
  client: Client,
  events: readonly IncomingEvent[],
): Promise<Set<string>> {
  const orderIds = [...new Set(events.map(({ orderId }) => orderId))];
  const known = await ordersKnown(db, orderIds);
  const rest = orderIds.filter((orderId) => !known.has(orderId));
  for (let from = 0; from < rest.length; from += IDS_PER_QUERY) {
    const ids = rest.slice(from, from + IDS_PER_QUERY).map((orderId) => `'${orderWorkflowId(orderId)}'`);
    const query = `WorkflowType = '${ORDER_WORKFLOW}' AND WorkflowId IN (${ids.join(', ')})`;
    try {
      for await (const { workflowId } of client.workflow.list({ query }))
        known.add(workflowId.slice(orderWorkflowId('').length));
    } catch (error) {
      throw temporalError(error);
    }
  }
  return known;
}

async function keep(
  { db, config }: RebuildContext,
  traced: readonly IncomingEvent[],
  isCommitted: (event: IncomingEvent) => boolean,
  early: readonly LifecycleEvent[],
): Promise<void> {
  const placed = traced.filter((event) => event.kind === 'placed');
  const lifecycle = traced.filter((event) => event.kind === 'lifecycle').filter(isCommitted);
  await transaction(db, async (tx) => {
    await claimOrders(tx, firstOfEach(placed).map(claimOf));
    await recordEvents(tx, placed.map(startedEvent));
    await keepParked(tx, lifecycle.map(lifecycleRecord), config.OMS_PARKING_DEADLINE);
    if (early.length > 0) await parkEvents(tx, early.map(lifecycleRecord), config.OMS_PARKING_DEADLINE);
  });
}

const firstOfEach = (placed: readonly PlacedEvent[]): PlacedEvent[] => [
  ...new Map(placed.toReversed().map((event) => [event.orderId, event])).values(),
];

function claimOf({ order, eventId, record }: PlacedEvent): Claim {
  return { order, eventId, fingerprint: fingerprint(order), record: storedRecord(record) };
}

function startedEvent({ orderId, eventId, contentHash, type }: PlacedEvent): DoneEvent {
  return { orderId, eventId, contentHash, type, outcome: 'started' };
}
