/** A header of a record: its name, an example, and what it says. */
export interface Header {
  name: string;
  example: string;
  meaning: string;
}

const header = (name: string, example: string, meaning: string): Header => ({ name, example, meaning });

/** Headers of what the OMS publishes. */
export const EVENT_HEADERS: readonly Header[] = [
  header('ce_specversion', '1.0', ''),
  header('ce_id', '536365/1/ShipmentBooked/1', 'the event id'),
  header('ce_type', 'oms.ShipmentBooked', 'kind of event'),
  header('ce_source', 'oms', ''),
  header('ce_time', '2026-01-31T12:00:00.000Z', '`occurredAt`'),
  header('ce_subject', '536365', 'order id'),
  header('ce_sequence', '3', '`sequence`'),
  header('content-type', 'application/avro', ''),
  header('traceparent', '', 'W3C trace context, where there is one'),
  header(
    'oms-deployment',
    '0b6f1c1e-6d0f-4c59-9f6e-5a3c1f0e7d21',
    'id of the deployment whose event it is; events of versions before 0.2.0 have none',
  ),
  header('oms-replay', '', 'only on an event that is sent again on purpose: the id of the replay'),
];

/** Headers of a dead letter, beside those its record had. */
export const DEAD_LETTER_HEADERS: readonly Header[] = [
  header('oms-dlq-id', '', 'id of the dead letter; follows from the record, so a repeat has the same'),
  header('oms-dlq-error-code', 'OMS_INGEST_FIELD_INVALID', 'why, as a code'),
  header('oms-dlq-error-message', '', 'why, in words'),
  header('oms-dlq-error-field', 'payload.items[0].quantity', 'the field that breaks a rule'),
  header('oms-dlq-error-value', '0', 'its value as received'),
  header('oms-dlq-error-rule', 'must be 1 or more', 'the rule it breaks'),
  header('oms-dlq-original-topic', 'orders', 'where the record stood'),
  header('oms-dlq-original-partition', '3', ''),
  header('oms-dlq-original-offset', '1042', ''),
  header('oms-dlq-original-timestamp', '', 'when it was written, ms since the epoch'),
  header('oms-dlq-order-id', '536365', 'whose it is, where that could be read'),
  header('oms-dlq-source', 'webshop', 'the upstream system, where that could be read'),
  header(
    'oms-dlq-deployment',
    '',
    'id of the deployment whose dead letter it is; those of versions before 0.2.0 have none',
  ),
  header('oms-dlq-consumer-group', 'oms-ingest', 'who refused it'),
  header('oms-dlq-attempt', '1', 'at which attempt'),
];
