import { z } from 'zod';
import { DeliveryEventType, InvoiceEventType, ShipmentEventType } from '../../schemas/index.ts';
import { time } from './atoms.ts';

/** Types of the events we tell, over all topics. */
export const EVENT_TYPES = ['OrderStatus', ...ShipmentEventType, ...InvoiceEventType, ...DeliveryEventType].filter(
  (type) => type !== 'Unknown',
);

/** An event as a live stream tells of it. */
export const toldEvent = z
  .object({
    orderId: z.string(),
    customerId: z.string().optional().describe('In the stream of all orders.'),
    version: z.int().describe('Counts what was told of the order.'),
    eventId: z.string().describe('The same as on the topic.'),
    topic: z.string().describe('Without prefix.'),
    type: z.enum(EVENT_TYPES),
    cause: z.string(),
    at: time,
  })
  .meta({ id: 'ToldEvent' });
