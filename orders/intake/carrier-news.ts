import { CARRIER_STATUSES, isCarrierStatus } from '../../domain/carrier-status.ts';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { faultError } from '../../domain/errors.ts';
import { isShipmentId } from '../../domain/ids.ts';
import { MAX_EVENT_ID_CHARACTERS, MAX_SOURCE_CHARACTERS } from '../../domain/order.ts';
import { check, identifier, optional, text, time } from '../../domain/rules.ts';
import type { Rule } from '../../domain/rules.ts';
import type { CarrierUpdate as CarrierUpdateRecord } from '../../schemas/index.ts';

const updateId = identifier(MAX_EVENT_ID_CHARACTERS);

const carrierName = optional(identifier(MAX_SOURCE_CHARACTERS));

/** `<orderId>:<n>`, split at the last colon. */
const shipmentId: Rule<string> = {
  holds: isShipmentId,
  rule: 'must be a shipment id, <order id>:<n>',
};

const status: Rule<unknown> = {
  holds: isCarrierStatus,
  rule: `must be one of ${CARRIER_STATUSES.join(', ')}`,
};

/** Keeps what an adapter sends to its contract. @throws OmsError OMS_INGEST_FIELD_INVALID */
export function checkNews(news: CarrierUpdate): void {
  check(() => 'updateId', news.updateId, updateId);
  check(() => 'shipmentId', news.shipmentId, shipmentId);
  check(() => 'status', news.status, status);
  check(() => 'occurredAt', news.at, time);
  check(() => 'carrier', news.carrier, carrierName);
  check(() => 'trackingNumber', news.trackingNumber, carrierName);
  check(() => 'detail', news.detail, text);
}

/** A record of the topic as news. @throws OmsError OMS_INGEST_FIELD_INVALID */
export function toNews({ occurredAt: at, status, ...rest }: CarrierUpdateRecord): CarrierUpdate {
  if (status === 'Unknown') {
    const rule = `must be one of ${CARRIER_STATUSES.join(', ')}; a newer schema may know more than this version`;
    throw faultError('OMS_INGEST_FIELD_INVALID', { field: 'status', value: status, rule });
  }
  const news = { ...rest, status, at };
  checkNews(news);
  return news;
}
