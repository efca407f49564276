import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readCursor, writeCursor } from '../../database/read/cursor.ts';
import { listShipments, readShipment } from '../../database/read/shipments.ts';
import type { ListedShipment, ShipmentFilter, ShipmentView } from '../../database/read/shipments.ts';
import { CARRIER_STATUSES } from '../../domain/carrier-status.ts';
import { CAUSE_FORMS } from '../../domain/causes.ts';
import { MAX_EVENT_ID_CHARACTERS, MAX_SOURCE_CHARACTERS } from '../../domain/order.ts';
import { SHIPMENT_STATUSES } from '../../domain/status.ts';
import { answerOnce, give } from '../commands/answer-once.ts';
import { unknownShipment, updateShipment } from '../commands/update-shipment.ts';
import type { ApiDependencies } from '../dependencies.ts';
import {
  givenTime,
  idempotencyKey,
  identifier,
  iso,
  isoOrNull,
  next,
  oneOrMoreOf,
  orderId,
  paging,
  placeOf,
  problems,
  shipmentId as idOfShipment,
  text,
  time,
  typed,
} from './atoms.ts';

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

const shipmentPage = z.object({ items: z.array(listed), next }).meta({ id: 'ShipmentPage' });

const shipment = listed
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

const updateRequest = z
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

const updated = z
  .object({ shipmentId: z.string(), updateId: z.string(), status: status.describe('Where the shipment stands now.') })
  .meta({ id: 'UpdatedShipment' });

const query = z
  .object({
    status: oneOrMoreOf(SHIPMENT_STATUSES).optional(),
    carrier: identifier(100).optional(),
    order: orderId.optional(),
    pending: z
      .enum(['true', 'false'])
      .optional()
      .describe('`true`: only those that are under way; `false`: only those that have ended.'),
    ...paging,
  })
  .strict();

const byId = z.object({ id: idOfShipment });

/** Shipments: list, look, and take carriers' news in. */
export function registerShipments(app: FastifyInstance, deps: ApiDependencies): void {
  registerLooks(app, deps);
  registerUpdates(app, deps);
}

function registerLooks(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/shipments',
    {
      schema: {
        operationId: 'listShipments',
        summary: 'Shipments that were booked, newest booking first.',
        tags: ['shipments'],
        querystring: query,
        response: { 200: shipmentPage, ...problems() },
      },
    },
    async ({ query: given }) => {
      const page = await listShipments(db, filterOf(given), placeOf(given, readCursor));
      return { items: page.items.map(listedJson), next: page.next && writeCursor(page.next) };
    },
  );
  typed(app).get(
    '/shipments/:id',
    {
      schema: {
        operationId: 'getShipment',
        summary: 'A shipment with its items and what its carrier has said.',
        tags: ['shipments'],
        params: byId,
        response: { 200: shipment, ...problems(404) },
      },
    },
    async ({ params: { id } }) => {
      const found = await readShipment(db, id);
      if (!found) throw unknownShipment(id);
      return shipmentJson(found);
    },
  );
}

function filterOf({ status, carrier, order, pending }: z.output<typeof query>): ShipmentFilter {
  return { status, carrier, orderId: order, pending: pending === undefined ? undefined : pending === 'true' };
}

function listedJson({ bookedAt, dispatchedAt, endedAt, ...rest }: ListedShipment) {
  const times = { bookedAt: isoOrNull(bookedAt), dispatchedAt: isoOrNull(dispatchedAt), endedAt: isoOrNull(endedAt) };
  return { ...rest, ...times };
}

function shipmentJson({ items, news, ...head }: ShipmentView): z.output<typeof shipment> {
  const said = news.map(({ occurredAt, receivedAt, ...one }) => ({
    ...one,
    occurredAt: iso(occurredAt),
    receivedAt: iso(receivedAt),
  }));
  return { ...listedJson(head), items, news: said };
}

function registerUpdates(app: FastifyInstance, { db, posting, encoder }: ApiDependencies): void {
  typed(app).post(
    '/shipments/:id/updates',
    {
      schema: {
        operationId: 'updateShipment',
        summary: "Take in a carrier's news of a shipment.",
        description:
          'The same as news on the topic `carrier-updates`. News that only repeats what is so changes nothing; what is not possible any more is refused.',
        tags: ['shipments'],
        params: byId,
        headers: idempotencyKey,
        body: updateRequest,
        response: { 200: updated, ...problems(404, 409, 413, 415, 422) },
      },
    },
    async ({ params: { id: shipmentId }, body, headers }, reply) => {
      const request = { key: headers['idempotency-key'], scope: `POST /v1/shipments/${shipmentId}/updates` };
      const answer = await answerOnce(db, { ...request, content: body }, async (tx) => {
        const news = newsOf(shipmentId, body);
        const status = await updateShipment({ ...posting, encoder }, tx, news);
        return { status: 200, body: { shipmentId, updateId: news.updateId, status } };
      });
      return give(reply, answer).send(answer.body as z.output<typeof updated>);
    },
  );
}

function newsOf(shipmentId: string, body: z.output<typeof updateRequest>) {
  const { status, occurredAt: at = Date.now(), updateId = CAUSE_FORMS.http(randomUUID()) } = body;
  const { carrier = null, trackingNumber = null, detail = null } = body;
  return { updateId, shipmentId, status, at, carrier, trackingNumber, detail };
}
