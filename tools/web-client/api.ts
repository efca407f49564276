import { setTimeout as sleep } from 'node:timers/promises';
import type { BaseUrls, Service } from './recorder.ts';

export interface Item {
  sku: string;
  quantity: number;
}

export interface Payment {
  status: string;
  subTotal: number;
  tax: number;
  shipping: number;
  total: number;
}

export interface Fulfillment {
  id: string;
  items: Item[];
  location?: string;
  status: string;
  payment?: Payment;
  shipment?: { id: string; status: string };
}

export interface Order {
  id: string;
  customerId: string;
  status: string;
  fulfillments: Fulfillment[] | null;
}

export interface Listed {
  id: string;
  status: string;
}

/** The API itself, asked beside the web client: what a page shows must be so. */
export interface Api {
  order(id: string): Promise<Order>;
  orders(): Promise<Listed[]>;
  shipment(id: string): Promise<Listed>;
  shipments(): Promise<Listed[]>;
  pending(): Promise<Listed[]>;
  settings(): Promise<{ limit: number; maintenanceMode: boolean }>;
  reset(): Promise<void>;
  tell(shipmentId: string, status: string): Promise<number>;
}

const LOOK_EVERY_MS = 250;
const DEADLINE_MS = 20_000;

/**
 * Asks again and again until `holds`, and gives the answer that did.
 * @throws Error naming what was waited for and what was seen last
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  holds: (answer: T) => boolean,
  withinMs = DEADLINE_MS,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${withinMs / 1000} s; last ${JSON.stringify(answer)?.slice(0, 600)}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** @throws Error with status and body unless the API answers 200 with JSON */
async function read<T>(base: string, path: string): Promise<T> {
  const answer = await fetch(`${base}${path}`);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`GET ${path}: expected 200, got ${answer.status} ${text.trim()}`);
  return JSON.parse(text) as T;
}

export function createApi(bases: BaseUrls): Api {
  const post = (service: Service, path: string, body?: object): Promise<Response> =>
    fetch(`${bases[service]}${path}`, { method: 'POST', body: body && JSON.stringify(body) });
  return {
    order: (id) => read(bases.order, `/orders/${id}`),
    orders: () => read(bases.order, '/orders'),
    shipment: (id) => read(bases.shipment, `/shipments/${id}`),
    shipments: () => read(bases.shipment, '/shipments'),
    pending: () => read(bases.shipment, '/shipments/pending'),
    settings: () => read(bases.fraud, '/settings'),
    reset: async () => {
      const { status } = await post('fraud', '/reset');
      if (status !== 200) throw new Error(`POST /reset: expected 200, got ${status}`);
    },
    tell: async (shipmentId, status) => (await post('shipment', `/shipments/${shipmentId}/status`, { status })).status,
  };
}
