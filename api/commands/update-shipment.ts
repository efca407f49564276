import type { Database } from '../../database/database.ts';
import type { EventEncoder } from '../../database/outbox/outbox.ts';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import { orderIdOf } from '../../domain/ids.ts';
import type { ShipmentStatus } from '../../domain/status.ts';
import { topicNames } from '../../kafka/topics.ts';
import { checkNews } from '../../orders/intake/carrier-news.ts';
import { applyCarrierUpdate } from '../../orders/steps/carrier-updates.ts';
import type { AppliedUpdate } from '../../orders/steps/carrier-updates.ts';
import { post } from './posting.ts';
import type { PostingDependencies } from './posting.ts';

export interface UpdateDependencies extends PostingDependencies {
  encoder: EventEncoder;
}

/**
 * Takes a carrier's news in: applies it, and puts its record on the way to `carrier-updates`, in the caller's transaction.
 * Read back from the topic it is a repeat, which tells the order's workflow if there is something for it to do. News that
 * only repeats what is so is taken without effect. Answers where the shipment stands.
 * @throws OmsError OMS_SHIPMENT_UNKNOWN, OMS_ORDER_MOVE_ILLEGAL when it is not possible (any more), OMS_INGEST_FIELD_INVALID
 */
export async function updateShipment(
  deps: UpdateDependencies,
  tx: Database,
  news: CarrierUpdate,
): Promise<ShipmentStatus> {
  checkNews(news);
  const { applied, shipmentStatus } = await apply(deps, tx, news);
  if (shipmentStatus === null) throw unknownShipment(news.shipmentId);
  if (!applied && !repeats(news, shipmentStatus)) {
    throw new OmsError(
      'OMS_ORDER_MOVE_ILLEGAL',
      `shipment ${news.shipmentId} is ${shipmentStatus}, and cannot become ${news.status}`,
    );
  }
  if (applied) await postNews(deps, tx, news);
  return shipmentStatus;
}

async function apply({ encoder }: UpdateDependencies, tx: Database, news: CarrierUpdate): Promise<AppliedUpdate> {
  try {
    return await applyCarrierUpdate(tx, encoder, news);
  } catch (error) {
    throw isOmsError(error) && error.code === 'OMS_ORDER_UNKNOWN' ? unknownShipment(news.shipmentId) : error;
  }
}

/** Says what is so already, and nothing that would turn back. */
function repeats({ status }: CarrierUpdate, now: ShipmentStatus): boolean {
  if (status === 'inTransit') return now === 'dispatched';
  return status === now || (status === 'returnedToSender' && now === 'returned');
}

function postNews({ codec, prefix, source }: UpdateDependencies, tx: Database, news: CarrierUpdate): Promise<boolean> {
  const { at: occurredAt, ...rest } = news;
  const value = codec.encode(topicNames(prefix)['carrier-updates'], { ...rest, occurredAt });
  const { shipmentId: key, updateId: eventId } = news;
  return post(tx, {
    topic: 'carrier-updates',
    orderId: orderIdOf(key),
    key,
    eventId,
    type: 'CarrierUpdate',
    value,
    source,
  });
}

export function unknownShipment(shipmentId: string): OmsError {
  return new OmsError('OMS_SHIPMENT_UNKNOWN', `no shipment ${shipmentId}`);
}
