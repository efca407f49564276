// Generated from order-event.avsc by `npm run generate`; do not edit.

/** One line of an order. */
export interface OrderItem {
  /** Stock keeping unit, 1 to 128 characters. */
  sku: string;
  /** Pieces, 1 or more. */
  quantity: number;
  /** Price of one piece in minor units of the order currency; null: the price list decides. */
  unitPrice: null | number;
  /** Text for people; never part of what makes two orders the same. */
  description: null | string;
}

/** A postal address. */
export interface Address {
  /** Who receives it. */
  name: null | string;
  /** Street and number. */
  line1: null | string;
  /** Further address line. */
  line2: null | string;
  /** City. */
  city: null | string;
  /** State or region. */
  region: null | string;
  /** Postal code. */
  postalCode: null | string;
  /** ISO 3166-1 alpha-2 code, else the name the upstream system uses. */
  country: string;
}

/** An order was placed. */
export interface OrderPlaced {
  /** Customer id, 1 to 128 characters; opaque, no personal data. */
  customerId: string;
  /** ISO 4217 code; one currency per order. */
  currency: string;
  /** 1 to 5,000 lines. */
  items: OrderItem[];
  /** Where it goes. */
  shipTo: null | Address;
}

/** The order is to be changed before it is shipped. */
export interface OrderAmended {
  /** All lines as they should be; null: unchanged. */
  items: null | OrderItem[];
  /** The new address; null: unchanged. */
  shipTo: null | Address;
}

/** The order, or one fulfillment of it, is to be cancelled. */
export interface OrderCancelled {
  /** Why, for people. */
  reason: null | string;
  /** Only this fulfillment, `<orderId>:<n>`; null: the whole order. */
  fulfillmentId: null | string;
}

/** `Amend` goes on without the unavailable items, `Cancel` gives the order up. */
export const CustomerActionKind = ['Unknown', 'Amend', 'Cancel'] as const;
export type CustomerActionKind = (typeof CustomerActionKind)[number];

/** The customer decided about unavailable items. */
export interface CustomerAction {
  /** What the customer decided. */
  action: CustomerActionKind;
}

/** What upstream commerce systems tell the OMS about an order. Key of the record: the order id. */
export interface OrderEvent {
  /** Id of this event, 1 to 200 characters; a retry carries the same id. */
  eventId: string;
  /** Order id, 1 to 128 characters of A-Z a-z 0-9 . _ -; global over all sources. */
  orderId: string;
  /** When it happened upstream. */
  occurredAt: number;
  /** The upstream system, 1 to 100 characters. */
  source: string;
  /** Position among the events of this order, counted by the producer; null: topic order is the order. */
  sequence: null | number;
  /** What happened. */
  payload: { 'oms.OrderPlaced': OrderPlaced } | { 'oms.OrderAmended': OrderAmended } | { 'oms.OrderCancelled': OrderCancelled } | { 'oms.CustomerAction': CustomerAction };
}

export const orderEventSchema = {
  "type": "record",
  "name": "OrderEvent",
  "namespace": "oms",
  "doc": "What upstream commerce systems tell the OMS about an order. Key of the record: the order id.",
  "fields": [
    {
      "name": "eventId",
      "type": "string",
      "doc": "Id of this event, 1 to 200 characters; a retry carries the same id."
    },
    {
      "name": "orderId",
      "type": "string",
      "doc": "Order id, 1 to 128 characters of A-Z a-z 0-9 . _ -; global over all sources."
    },
    {
      "name": "occurredAt",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      },
      "doc": "When it happened upstream."
    },
    {
      "name": "source",
      "type": "string",
      "doc": "The upstream system, 1 to 100 characters."
    },
    {
      "name": "sequence",
      "type": [
        "null",
        "long"
      ],
      "default": null,
      "doc": "Position among the events of this order, counted by the producer; null: topic order is the order."
    },
    {
      "name": "payload",
      "type": [
        {
          "type": "record",
          "name": "OrderPlaced",
          "doc": "An order was placed.",
          "fields": [
            {
              "name": "customerId",
              "type": "string",
              "doc": "Customer id, 1 to 128 characters; opaque, no personal data."
            },
            {
              "name": "currency",
              "type": "string",
              "doc": "ISO 4217 code; one currency per order."
            },
            {
              "name": "items",
              "type": {
                "type": "array",
                "items": {
                  "type": "record",
                  "name": "OrderItem",
                  "doc": "One line of an order.",
                  "fields": [
                    {
                      "name": "sku",
                      "type": "string",
                      "doc": "Stock keeping unit, 1 to 128 characters."
                    },
                    {
                      "name": "quantity",
                      "type": "int",
                      "doc": "Pieces, 1 or more."
                    },
                    {
                      "name": "unitPrice",
                      "type": [
                        "null",
                        "long"
                      ],
                      "default": null,
                      "doc": "Price of one piece in minor units of the order currency; null: the price list decides."
                    },
                    {
                      "name": "description",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "Text for people; never part of what makes two orders the same."
                    }
                  ]
                }
              },
              "doc": "1 to 5,000 lines."
            },
            {
              "name": "shipTo",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "Address",
                  "doc": "A postal address.",
                  "fields": [
                    {
                      "name": "name",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "Who receives it."
                    },
                    {
                      "name": "line1",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "Street and number."
                    },
                    {
                      "name": "line2",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "Further address line."
                    },
                    {
                      "name": "city",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "City."
                    },
                    {
                      "name": "region",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "State or region."
                    },
                    {
                      "name": "postalCode",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "Postal code."
                    },
                    {
                      "name": "country",
                      "type": "string",
                      "doc": "ISO 3166-1 alpha-2 code, else the name the upstream system uses."
                    }
                  ]
                }
              ],
              "default": null,
              "doc": "Where it goes."
            }
          ]
        },
        {
          "type": "record",
          "name": "OrderAmended",
          "doc": "The order is to be changed before it is shipped.",
          "fields": [
            {
              "name": "items",
              "type": [
                "null",
                {
                  "type": "array",
                  "items": "OrderItem"
                }
              ],
              "default": null,
              "doc": "All lines as they should be; null: unchanged."
            },
            {
              "name": "shipTo",
              "type": [
                "null",
                "Address"
              ],
              "default": null,
              "doc": "The new address; null: unchanged."
            }
          ]
        },
        {
          "type": "record",
          "name": "OrderCancelled",
          "doc": "The order, or one fulfillment of it, is to be cancelled.",
          "fields": [
            {
              "name": "reason",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Why, for people."
            },
            {
              "name": "fulfillmentId",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Only this fulfillment, `<orderId>:<n>`; null: the whole order."
            }
          ]
        },
        {
          "type": "record",
          "name": "CustomerAction",
          "doc": "The customer decided about unavailable items.",
          "fields": [
            {
              "name": "action",
              "type": {
                "type": "enum",
                "name": "CustomerActionKind",
                "doc": "`Amend` goes on without the unavailable items, `Cancel` gives the order up.",
                "symbols": [
                  "Unknown",
                  "Amend",
                  "Cancel"
                ],
                "default": "Unknown"
              },
              "doc": "What the customer decided."
            }
          ]
        }
      ],
      "doc": "What happened."
    }
  ]
} as const;
