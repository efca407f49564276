import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { findShipment, listBooked } from '../../database/read/reference.ts';
import { CARRIER_STATUSES } from '../../domain/carrier-status.ts';
import type { CarrierStatus } from '../../domain/carrier-status.ts';
import { CAUSE_FORMS } from '../../domain/causes.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { isShipmentId } from '../../domain/ids.ts';
import { postingTransaction } from '../commands/posting.ts';
import { updateShipment } from '../commands/update-shipment.ts';
import type { ApiDependencies } from '../dependencies.ts';
import {
  MOST_LISTED,
  ZERO_TIME,
  goTime,
  noShipment,
  notOffered,
  readBody,
  sendJson,
  sendNothing,
  shipmentStatus,
  statsOf,
} from './messages.ts';
import type { Fields } from './messages.ts';

type ById = { Params: { id: string } };

/** The reference's shipment service. */
export function registerShipments(app: FastifyInstance, deps: ApiDependencies): void {
  const list = async (open: boolean, reply: FastifyReply): Promise<unknown> => {
    const shipments = await listBooked(deps.db, { open, limit: MOST_LISTED });
    return sendJson(
      reply,
      shipments.map(({ id, status }) => ({ id, status: shipmentStatus(status) })),
    );
  };
  app.get('/shipments', (_request, reply) => list(false, reply));
  app.get('/shipments/pending', (_request, reply) => list(true, reply));
  app.get('/shipments/stats', async (_request, reply) => sendJson(reply, await statsOf(deps)));
  app.get<ById>('/shipments/:id', async ({ params: { id } }, reply) => sendJson(reply, await readOne(deps, id)));
  app.post<ById>('/shipments/:id/status', async (request, reply) => {
    await tell(deps, request.params.id, readBody(request));
    return sendNothing(reply);
  });
  notOffered(app, '/shipments/:id', 'a shipment is booked by its order and moved by POST /shipments/{id}/status');
}

async function readOne({ db }: ApiDependencies, id: string) {
  const found = isShipmentId(id) ? await findShipment(db, id) : undefined;
  if (!found) throw noShipment();
  const { status, movedAt, items } = found;
  return { id, status: shipmentStatus(status), updatedAt: movedAt ? goTime(movedAt.getTime()) : ZERO_TIME, items };
}

/** Each call is news of its own, so that a second attempt to deliver counts; the rest only repeats what is so. */
async function tell({ db, posting, encoder }: ApiDependencies, shipmentId: string, body: Fields): Promise<void> {
  const status = statusOf(body);
  if (!isShipmentId(shipmentId)) throw noShipment();
  const unknown = { carrier: null, trackingNumber: null, detail: null };
  const news = { updateId: CAUSE_FORMS.http(randomUUID()), shipmentId, status, at: Date.now(), ...unknown };
  try {
    await postingTransaction(db, (tx) => updateShipment({ ...posting, encoder }, tx, news));
  } catch (error) {
    throw error instanceof OmsError && error.code === 'OMS_SHIPMENT_UNKNOWN' ? noShipment() : error;
  }
}

function statusOf(body: Fields): CarrierStatus {
  const given = body.text('status');
  const status = CARRIER_STATUSES.find((one) => one === given);
  if (status) return status;
  const rule = `must be one of ${CARRIER_STATUSES.join(', ')}`;
  throw faultError('OMS_API_REQUEST_INVALID', { field: 'status', value: given, rule });
}
