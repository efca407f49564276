import { randomUUID } from 'node:crypto';
import { openOrderProducer, openTopicProducer } from '../../operations/produce/topic-producer.ts';
import { commandResources } from '../../resources/profiles.ts';
import type { CarrierUpdate, OrderEvent, OrderItem } from '../../schemas/index.ts';
import { startApiProcess } from './api-process.ts';
import type { Deployment } from './deployment.ts';
import { amended, cancelled, customerAction, item, placed } from './order-events.ts';

/** What is said about an order. `shipment` counts from 1. */
export type Move =
  | { kind: 'place'; skus: readonly string[] }
  | { kind: 'cancel' }
  | { kind: 'action'; action: 'amend' | 'cancel' }
  | { kind: 'amend'; quantity: number }
  | { kind: 'news'; shipment: number; status: 'dispatched' | 'delivered' };

export type Way = 'http' | 'topic';

export interface Said {
  /** Null by topic. */
  status: number | null;
  /** Of what was taken in and is to be read back. */
  eventId: string | null;
}

/** Says the same thing over HTTP or by a record on its topic. */
export interface TwoWays {
  url: string;
  say(orderId: string, move: Move, way: Way): Promise<Said>;
  get<T>(path: string): Promise<T>;
  close(): Promise<void>;
}

/** Orders of either way come from one source, so that either may place them again. */
const SOURCE = 'shop';

export async function openTwoWays(deployment: Deployment): Promise<TwoWays> {
  const api = await startApiProcess({ ...deployment.environment, OMS_API_SOURCE: SOURCE });
  const resources = commandResources(deployment.config);
  const orders = await openOrderProducer(resources);
  const news = await openTopicProducer<CarrierUpdate>(resources, 'carrier-updates', (one) => one.shipmentId);
  const byHttp = async (orderId: string, move: Move): Promise<Said> => {
    const { path, body } = requestOf(orderId, move);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${api.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const { eventId = null } = (await answer.json()) as { eventId?: string };
    return { status: answer.status, eventId };
  };
  const byTopic = async (orderId: string, move: Move): Promise<Said> => {
    if (move.kind === 'news') await news.produce([updateOf(orderId, move)]);
    else await orders.produce([eventOf(orderId, move)]);
    return { status: null, eventId: null };
  };
  return {
    url: api.url,
    say: (orderId, move, way) => (way === 'http' ? byHttp : byTopic)(orderId, move),
    get: async <T>(path: string) => (await (await fetch(`${api.url}${path}`)).json()) as T,
    close: async () => {
      await Promise.all([orders.close(), news.close()]);
      await resources.close();
      await api.stop();
    },
  };
}

const itemsOf = (skus: readonly string[], quantity = 2): OrderItem[] => skus.map((sku) => item(sku, { quantity }));

function requestOf(orderId: string, move: Move): { path: string; body: object } {
  const path = `/v1/orders/${orderId}`;
  switch (move.kind) {
    case 'place':
      return {
        path: '/v1/orders',
        body: { orderId, customerId: 'customer-1', currency: 'GBP', items: itemsOf(move.skus) },
      };
    case 'cancel':
      return { path: `${path}/cancel`, body: { reason: 'changed my mind' } };
    case 'action':
      return { path: `${path}/action`, body: { action: move.action } };
    case 'amend':
      return { path: `${path}/amend`, body: { items: itemsOf(['first'], move.quantity) } };
    case 'news':
      return { path: `/v1/shipments/${orderId}:${move.shipment}/updates`, body: { status: move.status } };
  }
}

function eventOf(orderId: string, move: Exclude<Move, { kind: 'news' }>): OrderEvent {
  const envelope = { source: SOURCE, eventId: `topic/${randomUUID()}` };
  switch (move.kind) {
    case 'place':
      return placed(orderId, { items: itemsOf(move.skus) }, envelope);
    case 'cancel':
      return cancelled(orderId, { reason: 'changed my mind' }, envelope);
    case 'action':
      return customerAction(orderId, move.action === 'amend' ? 'Amend' : 'Cancel', envelope);
    case 'amend':
      return amended(orderId, { items: itemsOf(['first'], move.quantity) }, envelope);
  }
}

function updateOf(orderId: string, move: Extract<Move, { kind: 'news' }>): CarrierUpdate {
  const { shipment, status } = move;
  const unknown = { carrier: null, trackingNumber: null, detail: null };
  const updateId = `topic/${randomUUID()}`;
  return { updateId, shipmentId: `${orderId}:${shipment}`, status, occurredAt: Date.now(), ...unknown };
}
