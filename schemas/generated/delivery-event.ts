// Generated from delivery-event.avsc by `npm run generate`; do not edit.

/** Kind of event. */
export const DeliveryEventType = ['Unknown', 'Delivered', 'DeliveryFailed', 'ReturnedToSender'] as const;
export type DeliveryEventType = (typeof DeliveryEventType)[number];

/** An attempt of a carrier to deliver a shipment: it was delivered, it was not, or it came back. */
export interface DeliveryEvent {
  /** Natural key of the business fact, `<orderId>/<subject>/<type>/<ordinal>`; a repeat carries the same id and the same bytes. */
  eventId: string;
  /** Order id; key of the record. */
  orderId: string;
  /** Counts all events of the order over all topics, from 1: orders them across topics. */
  version: number;
  /** Counts the events of the order on this topic, 1..n: a reader sees a gap. */
  sequence: number;
  /** When it happened, database time of the OMS. */
  occurredAt: number;
  /** What led to it: the id of the incoming event, or the step of the OMS. */
  cause: string;
  /** Kind of event. */
  type: DeliveryEventType;
  /** `<orderId>:<n>`. */
  shipmentId: string;
  /** The carrier. */
  carrier: null | string;
  /** For tracking by the customer. */
  trackingNumber: null | string;
  /** Why delivery failed. */
  reason: null | string;
  /** When it happened by the carrier's clock. */
  carrierTime: null | number;
}

export const deliveryEventSchema = {
  "type": "record",
  "name": "DeliveryEvent",
  "namespace": "oms",
  "doc": "An attempt of a carrier to deliver a shipment: it was delivered, it was not, or it came back.",
  "fields": [
    {
      "name": "eventId",
      "type": "string",
      "doc": "Natural key of the business fact, `<orderId>/<subject>/<type>/<ordinal>`; a repeat carries the same id and the same bytes."
    },
    {
      "name": "orderId",
      "type": "string",
      "doc": "Order id; key of the record."
    },
    {
      "name": "version",
      "type": "long",
      "doc": "Counts all events of the order over all topics, from 1: orders them across topics."
    },
    {
      "name": "sequence",
      "type": "long",
      "doc": "Counts the events of the order on this topic, 1..n: a reader sees a gap."
    },
    {
      "name": "occurredAt",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      },
      "doc": "When it happened, database time of the OMS."
    },
    {
      "name": "cause",
      "type": "string",
      "doc": "What led to it: the id of the incoming event, or the step of the OMS."
    },
    {
      "name": "type",
      "type": {
        "type": "enum",
        "name": "DeliveryEventType",
        "doc": "Kind of event.",
        "symbols": [
          "Unknown",
          "Delivered",
          "DeliveryFailed",
          "ReturnedToSender"
        ],
        "default": "Unknown"
      },
      "doc": "Kind of event."
    },
    {
      "name": "shipmentId",
      "type": "string",
      "doc": "`<orderId>:<n>`."
    },
    {
      "name": "carrier",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "The carrier."
    },
    {
      "name": "trackingNumber",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "For tracking by the customer."
    },
    {
      "name": "reason",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "Why delivery failed."
    },
    {
      "name": "carrierTime",
      "type": [
        "null",
        {
          "type": "long",
          "logicalType": "timestamp-millis"
        }
      ],
      "default": null,
      "doc": "When it happened by the carrier's clock."
    }
  ]
} as const;
