import { z } from 'zod';
import { CARRIER_STATUSES } from '../../domain/carrier-status.ts';
import { MAX_EVENT_ID_CHARACTERS, MAX_SOURCE_CHARACTERS } from '../../domain/order.ts';
import { SHIPMENT_STATUSES } from '../../domain/status.ts';
import { givenTime, identifier, next, text, time } from './atoms.ts';

const status = z.enum(SHIPMENT_STATUSES);

const listed = z
  .object({
    shipmentId: z.string().describe('`<orderId>:<n>`, the id of its fulfillment.'),
    orderId: z.string(),
    status,
    warehouse: z.string().nullable(),
    carrier: z.string().nullable(),
    service: z.string().nullable(),
    bookingReference: z.string().nullable(),
    trackingNumber: z.string().nullable(),
    failedAttempts: z.int(),
    bookedAt: time.nullable().describe('Lists are ordered by it.'),
    dispatchedAt: time.nullable(),
    endedAt: time.nullable(),
  })
  .meta({ id: 'ListedShipment' });

export const shipmentPage = z.object({ items: z.array(listed), next }).meta({ id: 'ShipmentPage' });

export const shipment = listed
  .extend({
    items: z.array(z.object({ line: z.int(), sku: z.string(), quantity: z.int() })),
    news: z
      .array(
        z.object({
          updateId: z.string(),
          status: z.string(),
          applied: z.boolean().describe('Whether anything came of it.'),
          detail: z.string().nullable(),
          occurredAt: time.describe("By the carrier's clock."),
          receivedAt: time,
        }),
      )
      .describe('What the carrier has said, in the order it came.'),
  })
  .meta({ id: 'Shipment' });

const name = identifier(MAX_SOURCE_CHARACTERS);

export const updateRequest = z
  .object({
    status: z.enum(CARRIER_STATUSES, `must be one of ${CARRIER_STATUSES.join(', ')}`),
    occurredAt: givenTime.optional().describe('RFC 3339, when it happened; without it now.'),
    updateId: identifier(MAX_EVENT_ID_CHARACTERS)
      .optional()
      .describe("The carrier's own id of this news: a repeat carries the same. Without one the OMS makes one."),
    carrier: name.nullish(),
    trackingNumber: name.nullish(),
    detail: text.nullish().describe('For people.'),
  })
  .strict()
  .meta({ id: 'ShipmentUpdate' });

export const updated = z
  .object({ shipmentId: z.string(), updateId: z.string(), status: status.describe('Where the shipment stands now.') })
  .meta({ id: 'UpdatedShipment' });
