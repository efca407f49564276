// Generated from stock-level.avsc by `npm run generate`; do not edit.

/** The absolute stock level, and price, of a SKU in a warehouse. Key of the record: the SKU. */
export interface StockLevel {
  /** Stock keeping unit. */
  sku: string;
  /** The warehouse. */
  warehouse: string;
  /** Pieces on hand, reserved ones included. */
  onHand: number;
  /** Grows with each level of this SKU and warehouse; an older version changes nothing. */
  version: number;
  /** When it was counted. */
  occurredAt: number;
  /** Price of one piece in minor units. */
  unitPrice: null | number;
  /** ISO 4217 code of the price. */
  currency: null | string;
}

export const stockLevelSchema = {
  "type": "record",
  "name": "StockLevel",
  "namespace": "oms",
  "doc": "The absolute stock level, and price, of a SKU in a warehouse. Key of the record: the SKU.",
  "fields": [
    {
      "name": "sku",
      "type": "string",
      "doc": "Stock keeping unit."
    },
    {
      "name": "warehouse",
      "type": "string",
      "doc": "The warehouse."
    },
    {
      "name": "onHand",
      "type": "long",
      "doc": "Pieces on hand, reserved ones included."
    },
    {
      "name": "version",
      "type": "long",
      "doc": "Grows with each level of this SKU and warehouse; an older version changes nothing."
    },
    {
      "name": "occurredAt",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      },
      "doc": "When it was counted."
    },
    {
      "name": "unitPrice",
      "type": [
        "null",
        "long"
      ],
      "default": null,
      "doc": "Price of one piece in minor units."
    },
    {
      "name": "currency",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "ISO 4217 code of the price."
    }
  ]
} as const;
