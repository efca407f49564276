// Generated from carrier-update.avsc by `npm run generate`; do not edit.

/** What the carrier reports. */
export const CarrierStatus = ['Unknown', 'booked', 'dispatched', 'inTransit', 'delivered', 'deliveryFailed', 'returnedToSender', 'cancelled'] as const;
export type CarrierStatus = (typeof CarrierStatus)[number];

/** News from a carrier about a shipment. Key of the record: the shipment id. */
export interface CarrierUpdate {
  /** Id of this update, unique within its shipment; a repeat carries the same id, another attempt to deliver another one. */
  updateId: string;
  /** `<orderId>:<n>`. */
  shipmentId: string;
  /** What the carrier reports. */
  status: CarrierStatus;
  /** By the carrier's clock. */
  occurredAt: number;
  /** The carrier. */
  carrier: null | string;
  /** For tracking. */
  trackingNumber: null | string;
  /** Text for people. */
  detail: null | string;
}

export const carrierUpdateSchema = {
  "type": "record",
  "name": "CarrierUpdate",
  "namespace": "oms",
  "doc": "News from a carrier about a shipment. Key of the record: the shipment id.",
  "fields": [
    {
      "name": "updateId",
      "type": "string",
      "doc": "Id of this update, unique within its shipment; a repeat carries the same id, another attempt to deliver another one."
    },
    {
      "name": "shipmentId",
      "type": "string",
      "doc": "`<orderId>:<n>`."
    },
    {
      "name": "status",
      "type": {
        "type": "enum",
        "name": "CarrierStatus",
        "doc": "What the carrier reports.",
        "symbols": [
          "Unknown",
          "booked",
          "dispatched",
          "inTransit",
          "delivered",
          "deliveryFailed",
          "returnedToSender",
          "cancelled"
        ],
        "default": "Unknown"
      },
      "doc": "What the carrier reports."
    },
    {
      "name": "occurredAt",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      },
      "doc": "By the carrier's clock."
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
      "doc": "For tracking."
    },
    {
      "name": "detail",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "Text for people."
    }
  ]
} as const;
