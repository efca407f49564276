// Generated from invoice-event.avsc by `npm run generate`; do not edit.

/** Kind of event. */
export const InvoiceEventType = ['Unknown', 'InvoiceIssued', 'InvoicePaid', 'PaymentFailed', 'CreditNoteIssued', 'InvoiceRefunded', 'PaymentAuthorized', 'PaymentVoided'] as const;
export type InvoiceEventType = (typeof InvoiceEventType)[number];

/** One priced line. */
export interface InvoiceLine {
  /** Stock keeping unit. */
  sku: string;
  /** Pieces. */
  quantity: number;
  /** Minor units. */
  unitPrice: number;
  /** unitPrice x quantity, minor units. */
  amount: number;
  /** Tax on the line, minor units. */
  tax: number;
}

/** What happened to the invoice of a shipment, and to the money for it. */
export interface InvoiceEvent {
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
  type: InvoiceEventType;
  /** Number of the invoice; gapless within its series. */
  invoiceId: string;
  /** `<orderId>:<n>`: one invoice per shipment. */
  fulfillmentId: string;
  /** Customer id of the order. */
  customerId: string;
  /** ISO 4217 code. */
  currency: string;
  /** Sum of the lines, minor units. On events about a credit note this and the three below are the credit note's. */
  subTotal: number;
  /** Tax, minor units. */
  tax: number;
  /** Shipping, minor units. */
  shipping: number;
  /** subTotal + tax + shipping, minor units. */
  total: number;
  /** The lines of the invoice or the credit note when it is issued; empty on events about payment. */
  lines: InvoiceLine[];
  /** The charge at the payment provider. */
  paymentReference: null | string;
  /** Authorization code of an approved charge. */
  authCode: null | string;
  /** Number of the credit note; gapless within its series. */
  creditNoteId: null | string;
  /** Why a payment failed or a credit note was issued. */
  reason: null | string;
  /** Money that was held, taken or given back, minor units: may be less than the invoice's total. */
  amount: null | number;
}

export const invoiceEventSchema = {
  "type": "record",
  "name": "InvoiceEvent",
  "namespace": "oms",
  "doc": "What happened to the invoice of a shipment, and to the money for it.",
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
        "name": "InvoiceEventType",
        "doc": "Kind of event.",
        "symbols": [
          "Unknown",
          "InvoiceIssued",
          "InvoicePaid",
          "PaymentFailed",
          "CreditNoteIssued",
          "InvoiceRefunded",
          "PaymentAuthorized",
          "PaymentVoided"
        ],
        "default": "Unknown"
      },
      "doc": "Kind of event."
    },
    {
      "name": "invoiceId",
      "type": "string",
      "doc": "Number of the invoice; gapless within its series."
    },
    {
      "name": "fulfillmentId",
      "type": "string",
      "doc": "`<orderId>:<n>`: one invoice per shipment."
    },
    {
      "name": "customerId",
      "type": "string",
      "doc": "Customer id of the order."
    },
    {
      "name": "currency",
      "type": "string",
      "doc": "ISO 4217 code."
    },
    {
      "name": "subTotal",
      "type": "long",
      "doc": "Sum of the lines, minor units. On events about a credit note this and the three below are the credit note's."
    },
    {
      "name": "tax",
      "type": "long",
      "doc": "Tax, minor units."
    },
    {
      "name": "shipping",
      "type": "long",
      "doc": "Shipping, minor units."
    },
    {
      "name": "total",
      "type": "long",
      "doc": "subTotal + tax + shipping, minor units."
    },
    {
      "name": "lines",
      "type": {
        "type": "array",
        "items": {
          "type": "record",
          "name": "InvoiceLine",
          "doc": "One priced line.",
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
            },
            {
              "name": "unitPrice",
              "type": "long",
              "doc": "Minor units."
            },
            {
              "name": "amount",
              "type": "long",
              "doc": "unitPrice x quantity, minor units."
            },
            {
              "name": "tax",
              "type": "long",
              "doc": "Tax on the line, minor units."
            }
          ]
        }
      },
      "doc": "The lines of the invoice or the credit note when it is issued; empty on events about payment."
    },
    {
      "name": "paymentReference",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "The charge at the payment provider."
    },
    {
      "name": "authCode",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "Authorization code of an approved charge."
    },
    {
      "name": "creditNoteId",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "Number of the credit note; gapless within its series."
    },
    {
      "name": "reason",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "Why a payment failed or a credit note was issued."
    },
    {
      "name": "amount",
      "type": [
        "null",
        "long"
      ],
      "default": null,
      "doc": "Money that was held, taken or given back, minor units: may be less than the invoice's total."
    }
  ]
} as const;
