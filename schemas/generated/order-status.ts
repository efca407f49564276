// Generated from order-status.avsc by `npm run generate`; do not edit.

/** Status of an order. */
export const OrderStatusName = ['Unknown', 'pending', 'processing', 'customerActionRequired', 'completed', 'partiallyCompleted', 'failed', 'cancelled', 'timedOut'] as const;
export type OrderStatusName = (typeof OrderStatusName)[number];

/** Status of a fulfillment. */
export const FulfillmentStatus = ['Unknown', 'unavailable', 'pending', 'processing', 'completed', 'cancelled', 'failed'] as const;
export type FulfillmentStatus = (typeof FulfillmentStatus)[number];

/** One line of a fulfillment. */
export interface FulfillmentItem {
  /** Stock keeping unit. */
  sku: string;
  /** Pieces. */
  quantity: number;
}

/** Status of a payment. */
export const PaymentStatus = ['Unknown', 'pending', 'authorized', 'success', 'failed', 'voided', 'refunded'] as const;
export type PaymentStatus = (typeof PaymentStatus)[number];

/** The money for a fulfillment. */
export interface Payment {
  /** Status of the payment. */
  status: PaymentStatus;
  /** Minor units. */
  subTotal: number;
  /** Minor units. */
  tax: number;
  /** Minor units. */
  shipping: number;
  /** Minor units. */
  total: number;
  /** Taken so far, minor units; null from a version that did not tell it. */
  captured: null | number;
  /** Given back so far, minor units; null from a version that did not tell it. */
  refunded: null | number;
}

/** What was credited of an invoice. */
export interface CreditNote {
  /** Number of the credit note. */
  creditNoteId: string;
  /** Its date. */
  issuedAt: number;
  /** Why it was issued. */
  reason: string;
  /** Minor units. */
  subTotal: number;
  /** Minor units. */
  tax: number;
  /** Minor units. */
  shipping: number;
  /** Minor units. */
  total: number;
  /** Given back for it, minor units. */
  refunded: number;
  /** When nothing had to be given back for it any more; null while something has, or may have. */
  settledAt: null | number;
}

/** Status of a shipment. */
export const ShipmentStatusName = ['Unknown', 'pending', 'booked', 'dispatched', 'deliveryFailed', 'delivered', 'returned', 'cancelled', 'failed'] as const;
export type ShipmentStatusName = (typeof ShipmentStatusName)[number];

/** The part of an order that ships from one warehouse. */
export interface Fulfillment {
  /** `<orderId>:<n>`. */
  id: string;
  /** Where it ships from; null when its items are unavailable. */
  warehouse: null | string;
  /** Status of the fulfillment. */
  status: FulfillmentStatus;
  /** What is in it. */
  items: FulfillmentItem[];
  /** Null until begun. */
  payment: null | Payment;
  /** Number of the invoice; null until drawn. */
  invoiceId: null | string;
  /** Date of the invoice; null until drawn, and from a version that did not tell it. */
  invoicedAt: null | number;
  /** Credit notes of the invoice, in the order of their numbers; null from a version that did not tell them. */
  creditNotes: null | CreditNote[];
  /** Null until begun. */
  shipmentStatus: null | ShipmentStatusName;
  /** For tracking by the customer. */
  trackingNumber: null | string;
}

/** How many events of the order each other topic was told until now. */
export interface Sequences {
  /** Last sequence on `shipments`; 0: none yet. */
  shipments: number;
  /** Last sequence on `invoices`; 0: none yet. */
  invoices: number;
  /** Last sequence on `deliveries`; 0: none yet. */
  deliveries: number;
}

/** The whole order as it now stands. The highest version wins, never the last offset. */
export interface OrderStatus {
  /** Natural key of the business fact, `<orderId>/<subject>/<type>/<ordinal>`; a repeat carries the same id and the same bytes. */
  eventId: string;
  /** Order id; key of the record. */
  orderId: string;
  /** Counts all events of the order over all topics, from 1: orders them across topics. */
  version: number;
  /** Counts the status events of the order, 1..n; compaction removes older ones. */
  sequence: number;
  /** When it happened, database time of the OMS. */
  occurredAt: number;
  /** What led to it: the id of the incoming event, or the step of the OMS. */
  cause: string;
  /** Status of the order. */
  status: OrderStatusName;
  /** Why, where it needs one. */
  reason: null | string;
  /** The upstream system. */
  source: string;
  /** Customer id. */
  customerId: string;
  /** ISO 4217 code. */
  currency: string;
  /** Upstream time of the order. */
  placedAt: number;
  /** When the OMS took the order. */
  receivedAt: number;
  /** When the order came to its end. */
  closedAt: null | number;
  /** The promise that was not kept: `shipBy` or, later, `deliverBy`; null: none. */
  overdue: null | string;
  /** The fulfillments; empty until stock is reserved. */
  fulfillments: Fulfillment[];
  /** Last sequences on the other topics, which forget their events after a while; null from a version that did not tell them. */
  sequences: null | Sequences;
}

export const orderStatusSchema = {
  "type": "record",
  "name": "OrderStatus",
  "namespace": "oms",
  "doc": "The whole order as it now stands. The highest version wins, never the last offset.",
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
      "doc": "Counts the status events of the order, 1..n; compaction removes older ones."
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
      "name": "status",
      "type": {
        "type": "enum",
        "name": "OrderStatusName",
        "doc": "Status of an order.",
        "symbols": [
          "Unknown",
          "pending",
          "processing",
          "customerActionRequired",
          "completed",
          "partiallyCompleted",
          "failed",
          "cancelled",
          "timedOut"
        ],
        "default": "Unknown"
      },
      "doc": "Status of the order."
    },
    {
      "name": "reason",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "Why, where it needs one."
    },
    {
      "name": "source",
      "type": "string",
      "doc": "The upstream system."
    },
    {
      "name": "customerId",
      "type": "string",
      "doc": "Customer id."
    },
    {
      "name": "currency",
      "type": "string",
      "doc": "ISO 4217 code."
    },
    {
      "name": "placedAt",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      },
      "doc": "Upstream time of the order."
    },
    {
      "name": "receivedAt",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      },
      "doc": "When the OMS took the order."
    },
    {
      "name": "closedAt",
      "type": [
        "null",
        {
          "type": "long",
          "logicalType": "timestamp-millis"
        }
      ],
      "default": null,
      "doc": "When the order came to its end."
    },
    {
      "name": "overdue",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "The promise that was not kept: `shipBy` or, later, `deliverBy`; null: none."
    },
    {
      "name": "fulfillments",
      "type": {
        "type": "array",
        "items": {
          "type": "record",
          "name": "Fulfillment",
          "doc": "The part of an order that ships from one warehouse.",
          "fields": [
            {
              "name": "id",
              "type": "string",
              "doc": "`<orderId>:<n>`."
            },
            {
              "name": "warehouse",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Where it ships from; null when its items are unavailable."
            },
            {
              "name": "status",
              "type": {
                "type": "enum",
                "name": "FulfillmentStatus",
                "doc": "Status of a fulfillment.",
                "symbols": [
                  "Unknown",
                  "unavailable",
                  "pending",
                  "processing",
                  "completed",
                  "cancelled",
                  "failed"
                ],
                "default": "Unknown"
              },
              "doc": "Status of the fulfillment."
            },
            {
              "name": "items",
              "type": {
                "type": "array",
                "items": {
                  "type": "record",
                  "name": "FulfillmentItem",
                  "doc": "One line of a fulfillment.",
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
              "name": "payment",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "Payment",
                  "doc": "The money for a fulfillment.",
                  "fields": [
                    {
                      "name": "status",
                      "type": {
                        "type": "enum",
                        "name": "PaymentStatus",
                        "doc": "Status of a payment.",
                        "symbols": [
                          "Unknown",
                          "pending",
                          "authorized",
                          "success",
                          "failed",
                          "voided",
                          "refunded"
                        ],
                        "default": "Unknown"
                      },
                      "doc": "Status of the payment."
                    },
                    {
                      "name": "subTotal",
                      "type": "long",
                      "doc": "Minor units."
                    },
                    {
                      "name": "tax",
                      "type": "long",
                      "doc": "Minor units."
                    },
                    {
                      "name": "shipping",
                      "type": "long",
                      "doc": "Minor units."
                    },
                    {
                      "name": "total",
                      "type": "long",
                      "doc": "Minor units."
                    },
                    {
                      "name": "captured",
                      "type": [
                        "null",
                        "long"
                      ],
                      "default": null,
                      "doc": "Taken so far, minor units; null from a version that did not tell it."
                    },
                    {
                      "name": "refunded",
                      "type": [
                        "null",
                        "long"
                      ],
                      "default": null,
                      "doc": "Given back so far, minor units; null from a version that did not tell it."
                    }
                  ]
                }
              ],
              "default": null,
              "doc": "Null until begun."
            },
            {
              "name": "invoiceId",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Number of the invoice; null until drawn."
            },
            {
              "name": "invoicedAt",
              "type": [
                "null",
                {
                  "type": "long",
                  "logicalType": "timestamp-millis"
                }
              ],
              "default": null,
              "doc": "Date of the invoice; null until drawn, and from a version that did not tell it."
            },
            {
              "name": "creditNotes",
              "type": [
                "null",
                {
                  "type": "array",
                  "items": {
                    "type": "record",
                    "name": "CreditNote",
                    "doc": "What was credited of an invoice.",
                    "fields": [
                      {
                        "name": "creditNoteId",
                        "type": "string",
                        "doc": "Number of the credit note."
                      },
                      {
                        "name": "issuedAt",
                        "type": {
                          "type": "long",
                          "logicalType": "timestamp-millis"
                        },
                        "doc": "Its date."
                      },
                      {
                        "name": "reason",
                        "type": "string",
                        "doc": "Why it was issued."
                      },
                      {
                        "name": "subTotal",
                        "type": "long",
                        "doc": "Minor units."
                      },
                      {
                        "name": "tax",
                        "type": "long",
                        "doc": "Minor units."
                      },
                      {
                        "name": "shipping",
                        "type": "long",
                        "doc": "Minor units."
                      },
                      {
                        "name": "total",
                        "type": "long",
                        "doc": "Minor units."
                      },
                      {
                        "name": "refunded",
                        "type": "long",
                        "doc": "Given back for it, minor units."
                      },
                      {
                        "name": "settledAt",
                        "type": [
                          "null",
                          {
                            "type": "long",
                            "logicalType": "timestamp-millis"
                          }
                        ],
                        "default": null,
                        "doc": "When nothing had to be given back for it any more; null while something has, or may have."
                      }
                    ]
                  }
                }
              ],
              "default": null,
              "doc": "Credit notes of the invoice, in the order of their numbers; null from a version that did not tell them."
            },
            {
              "name": "shipmentStatus",
              "type": [
                "null",
                {
                  "type": "enum",
                  "name": "ShipmentStatusName",
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
                }
              ],
              "default": null,
              "doc": "Null until begun."
            },
            {
              "name": "trackingNumber",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "For tracking by the customer."
            }
          ]
        }
      },
      "doc": "The fulfillments; empty until stock is reserved."
    },
    {
      "name": "sequences",
      "type": [
        "null",
        {
          "type": "record",
          "name": "Sequences",
          "doc": "How many events of the order each other topic was told until now.",
          "fields": [
            {
              "name": "shipments",
              "type": "long",
              "doc": "Last sequence on `shipments`; 0: none yet."
            },
            {
              "name": "invoices",
              "type": "long",
              "doc": "Last sequence on `invoices`; 0: none yet."
            },
            {
              "name": "deliveries",
              "type": "long",
              "doc": "Last sequence on `deliveries`; 0: none yet."
            }
          ]
        }
      ],
      "default": null,
      "doc": "Last sequences on the other topics, which forget their events after a while; null from a version that did not tell them."
    }
  ]
} as const;
