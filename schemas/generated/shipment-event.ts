// Generated from shipment-event.avsc by `npm run generate`; do not edit.

/** Kind of event. */
export const ShipmentEventType = ['Unknown', 'ShipmentBooked', 'ShipmentDispatched', 'ShipmentDelayed', 'ShipmentCancelled'] as const;
export type ShipmentEventType = (typeof ShipmentEventType)[number];

/** Status of a shipment. */
export const ShipmentStatus = ['Unknown', 'pending', 'booked', 'dispatched', 'deliveryFailed', 'delivered', 'returned', 'cancelled', 'failed'] as const;
export type ShipmentStatus = (typeof ShipmentStatus)[number];

/** One line of a shipment. */
export interface ShipmentItem {
  /** Stock keeping unit. */
  sku: string;
  /** Pieces. */
  quantity: number;
}

/** What happened to a shipment until it left the warehouse. */
export interface ShipmentEvent {
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
  type: ShipmentEventType;
  /** `<orderId>:<n>`; also the id of the fulfillment. */
  shipmentId: string;
  /** Status after this event. */
  status: ShipmentStatus;
  /** Where it ships from. */
  warehouse: string;
  /** What is in it. */
  items: ShipmentItem[];
  /** The carrier. */
  carrier: null | string;
  /** The booking at the carrier. */
  bookingReference: null | string;
  /** For tracking by the customer. */
  trackingNumber: null | string;
  /** Why it is delayed or cancelled. */
  reason: null | string;
}

export const shipmentEventSchema = {
  "type": "record",
  "name": "ShipmentEvent",
  "namespace": "oms",
  "doc": "What happened to a shipment until it left the warehouse.",
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
        "name": "ShipmentEventType",
        "doc": "Kind of event.",
        "symbols": [
          "Unknown",
          "ShipmentBooked",
          "ShipmentDispatched",
          "ShipmentDelayed",
          "ShipmentCancelled"
        ],
        "default": "Unknown"
      },
      "doc": "Kind of event."
    },
    {
      "name": "shipmentId",
      "type": "string",
      "doc": "`<orderId>:<n>`; also the id of the fulfillment."
    },
    {
      "name": "status",
      "type": {
        "type": "enum",
        "name": "ShipmentStatus",
        "doc": "Status of a shipment.",
        "symbols": [
          "Unknown",
          "pending",
          "booked",
          "dispatched",
          "deliveryFailed",
          "delivered",
          "returned",
          "cancelled",
          "failed"
        ],
        "default": "Unknown"
      },
      "doc": "Status after this event."
    },
    {
      "name": "warehouse",
      "type": "string",
      "doc": "Where it ships from."
    },
    {
      "name": "items",
      "type": {
        "type": "array",
        "items": {
          "type": "record",
          "name": "ShipmentItem",
          "doc": "One line of a shipment.",
          "fields": [
            {
              "name": "sku",
              "type": "string",
              "doc": "Stock keeping unit."
            },
            {
              "name": "quantity",
              "type": "int",
              "doc": "Pieces."
            }
          ]
        }
      },
      "doc": "What is in it."
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
      "name": "bookingReference",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "The booking at the carrier."
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
      "doc": "Why it is delayed or cancelled."
    }
  ]
} as const;
