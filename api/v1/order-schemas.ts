import { z } from 'zod';
import { ORDER_STATUSES, FULFILLMENT_STATUSES, PAYMENT_STATUSES, SHIPMENT_STATUSES } from '../../domain/status.ts';
import { address, currency, items, minorUnits, next, orderId, customerId, text, time, shipmentId } from './atoms.ts';

const orderStatus = z.enum(ORDER_STATUSES);

export const listedOrder = z
  .object({
    orderId: z.string(),
    status: orderStatus,
    reason: z.string().nullable(),
    source: z.string(),
    customerId: z.string(),
    currency: z.string(),
    overdue: z.enum(['shipBy', 'deliverBy']).nullable().describe('The promise that was not kept.'),
    placedAt: time.describe("Upstream's time of the order."),
    receivedAt: time.describe('When the OMS took it in; lists are ordered by it.'),
    closedAt: time.nullable(),
  })
  .meta({ id: 'ListedOrder' });

export const orderPage = z.object({ items: z.array(listedOrder), next }).meta({ id: 'OrderPage' });

const amounts = { subTotal: minorUnits, tax: minorUnits, shipping: minorUnits, total: minorUnits };

const creditNote = z
  .object({
    creditNoteId: z.string(),
    ...amounts,
    reason: z.string(),
    refunded: minorUnits,
    settledAt: time.nullable(),
  })
  .meta({ id: 'CreditNote' });

/** What was taken, held or given back for an invoice. */
export const payment = z
  .object({
    status: z.enum(PAYMENT_STATUSES),
    mode: z.string(),
    amount: minorUnits,
    captured: minorUnits,
    refunded: minorUnits,
    reference: z.string().nullable(),
    authCode: z.string().nullable(),
    declineReason: z.string().nullable(),
    settledAt: time.nullable(),
  })
  .meta({ id: 'Payment' });

const shipment = z
  .object({
    status: z.enum(SHIPMENT_STATUSES),
    carrier: z.string().nullable(),
    service: z.string().nullable(),
    bookingReference: z.string().nullable(),
    trackingNumber: z.string().nullable(),
    failedAttempts: z.int(),
    bookedAt: time.nullable(),
    dispatchedAt: time.nullable(),
    endedAt: time.nullable(),
  })
  .meta({ id: 'ShipmentOfFulfillment' });

const line = z.object({ line: z.int(), sku: z.string(), quantity: z.int(), unitPrice: minorUnits.nullable() });

const fulfillment = z
  .object({
    id: z.string().describe('`<orderId>:<n>`; its shipment has the same id.'),
    status: z.enum(FULFILLMENT_STATUSES),
    reason: z.string().nullable(),
    warehouse: z.string().nullable().describe('Null when its items are unavailable.'),
    items: z.array(line),
    invoice: z.object({ invoiceId: z.string(), ...amounts }).nullable(),
    payment: payment.nullable(),
    creditNotes: z.array(creditNote),
    shipment: shipment.nullable(),
  })
  .meta({ id: 'Fulfillment' });

const placedItem = z.object({
  sku: z.string(),
  quantity: z.int(),
  unitPrice: minorUnits.nullable(),
  description: z.string().nullable(),
});

export const order = listedOrder
  .extend({
    version: z.int().describe('Counts what was told of the order.'),
    shipTo: z
      .object({
        name: z.string().nullable(),
        line1: z.string().nullable(),
        line2: z.string().nullable(),
        city: z.string().nullable(),
        region: z.string().nullable(),
        postalCode: z.string().nullable(),
        country: z.string(),
      })
      .nullable(),
    items: z.array(placedItem).describe('As placed.'),
    fulfillments: z.array(fulfillment).describe('Empty until a worker has taken the order.'),
  })
  .meta({ id: 'Order' });

const timelineEntry = z
  .object({
    version: z.int(),
    eventId: z.string(),
    topic: z.string(),
    type: z.string(),
    cause: z.string(),
    at: time,
    sentAt: time.nullable().describe('Null until it is on its topic.'),
    heldReason: z.string().nullable(),
  })
  .meta({ id: 'TimelineEntry' });

export const timeline = z
  .object({
    told: z.array(timelineEntry).describe('Events the OMS has told, in version order.'),
    asked: z
      .array(
        z.object({
          eventId: z.string(),
          type: z.string(),
          outcome: z.enum(['posted', 'started', 'signalled', 'handled', 'late', 'refused']),
          reason: z.string().nullable(),
          at: time,
        }),
      )
      .describe('Events about the order that came in, and what became of each.'),
    news: z
      .array(
        z.object({
          updateId: z.string(),
          shipmentId: z.string(),
          status: z.string(),
          applied: z.boolean(),
          detail: z.string().nullable(),
          at: time,
        }),
      )
      .describe('What carriers have said.'),
  })
  .meta({ id: 'Timeline' });

export const newOrder = z
  .object({
    orderId: orderId.optional().describe('Without one the OMS makes one.'),
    customerId,
    currency,
    items,
    shipTo: address.nullish(),
  })
  .strict()
  .meta({ id: 'NewOrder' });

export const cancelRequest = z
  .object({
    reason: text.nullish(),
    fulfillmentId: shipmentId.nullish().describe('Only this fulfillment; without it the whole order.'),
  })
  .strict()
  .meta({ id: 'CancelRequest' });

export const amendRequest = z
  .object({
    items: items.nullish().describe('All lines as they should be; lines may be dropped and quantities lowered.'),
    shipTo: address.nullish(),
  })
  .strict()
  .meta({ id: 'AmendRequest' });

export const actionRequest = z
  .object({
    action: z
      .enum(['amend', 'cancel'], 'must be amend or cancel')
      .describe('`amend` goes on without what is unavailable.'),
  })
  .strict()
  .meta({ id: 'ActionRequest' });

export const accepted = z
  .object({ orderId: z.string(), eventId: z.string().describe('Look for it under `asked` in the timeline.') })
  .meta({ id: 'Accepted' });
