import type { Page } from 'playwright-core';
import { until } from './api.ts';
import type { Order } from './api.ts';
import {
  areAll,
  badge,
  button,
  heading,
  isAny,
  isMixed,
  openNewOrder,
  placeOrder,
  rowOf,
  see,
  seeAmounts,
  submit,
} from './shop.ts';
import type { Package } from './shop.ts';
import { must, mustBeAccepted } from './walk.ts';
import type { Step, Walk } from './walk.ts';

const ACTION = /^\/orders\/[^/]+\/action$/;
/** The reference gives a customer 30 s to decide. */
const DECIDED_WITHIN_MS = 60_000;
/** Less by a load of the page than the second the client waits. */
const LEAVES_AFTER_SECONDS = 0.5;

/** Orders and waits until shipments are booked; what the page then shows is what the API says. */
export async function orderToBooked(walk: Walk): Promise<Order> {
  const { id } = await placeOrder(walk, isAny);
  const order = await until(
    `${id} booked`,
    () => walk.api.order(id),
    (seen) => areAll(seen, 'booked'),
  );
  must(order.status === 'processing', 'processing', order.status);
  await see(badge(walk.page, 'PROCESSING'));
  await see(walk.page.getByText('Warehouse A', { exact: true }));
  await see(walk.page.locator('li.completed', { hasText: 'BOOKED' }));
  await see(walk.page.getByRole('cell', { name: 'Success', exact: true }));
  await seeAmounts(walk.page, order);
  await see(walk.page.getByText(`Customer ${order.customerId}`));
  return order;
}

/** Orders a package of which something is unavailable, and waits until page, list and API ask the customer. */
async function orderToDecide(walk: Walk): Promise<Package> {
  const chosen = await placeOrder(walk, isMixed);
  await see(badge(walk.page, 'ACTION REQUIRED'));
  await see(walk.page.getByText('Action Required', { exact: true }));
  for (const place of ['Warehouse A', 'Warehouse B']) await see(walk.page.getByText(place, { exact: true }));
  await see(button(walk.page, 'Amend'));
  await see(button(walk.page, 'Cancel'));
  const { status, fulfillments } = await walk.api.order(chosen.id);
  must(status === 'customerActionRequired', 'customerActionRequired', status);
  const states = fulfillments?.map((fulfillment) => fulfillment.status);
  must(states?.join() === 'unavailable,pending,pending', 'unavailable, pending, pending', states);
  return chosen;
}

async function seeInList(walk: Walk, id: string, label: string): Promise<void> {
  const list = await walk.tab();
  await list.goto(new URL('/orders', walk.page.url()).href);
  await see(rowOf(list, id).getByText(label, { exact: true }));
  if (label === 'ACTION REQUIRED') await see(list.locator('svg text[fill="#EF8080"]'));
  await list.close();
}

async function noShipments(walk: Walk, id: string): Promise<void> {
  const of = (await walk.api.shipments()).filter((shipment) => shipment.id.startsWith(`${id}:`));
  must(of.length === 0, `no shipment of ${id}`, of);
}

async function amend(walk: Walk): Promise<string> {
  const { page, api } = walk;
  const { id } = await orderToDecide(walk);
  await seeInList(walk, id, 'ACTION REQUIRED');
  await button(page, 'Amend').click();
  const order = await until(
    `${id} amended`,
    () => api.order(id),
    (seen) => areAll(seen, 'booked'),
  );
  mustBeAccepted(walk.calls(), 'POST', ACTION);
  must(order.fulfillments?.[0]?.status === 'cancelled', 'the unavailable part cancelled', order.fulfillments?.[0]);
  await see(page.getByText('Unavailable', { exact: true }));
  await see(page.locator('li.cancelled'));
  await seeAmounts(page, order);
  return id;
}

/**
 * The client goes to the list a second after the click. Until the order has ended it also loads its page twice a second,
 * and such a load keeps it from going: a cancel that took longer may leave it where it is.
 */
async function leaveForList(page: Page, seconds: number): Promise<void> {
  if (seconds < LEAVES_AFTER_SECONDS) await page.waitForURL('**/orders');
  else await page.goto('/orders');
  await see(heading(page, 'Orders'));
}

async function cancel(walk: Walk): Promise<string> {
  const { page, api } = walk;
  const { id } = await orderToDecide(walk);
  const began = performance.now();
  await button(page, 'Cancel').click();
  await until(
    `${id} cancelled`,
    () => api.order(id),
    ({ status }) => status === 'cancelled',
  );
  const seconds = (performance.now() - began) / 1000;
  await leaveForList(page, seconds);
  mustBeAccepted(walk.calls(), 'POST', ACTION);
  await seeInList(walk, id, 'CANCELLED');
  await rowOf(page, id).getByRole('link').click();
  await see(badge(page, 'CANCELLED'));
  await noShipments(walk, id);
  return `${id} after ${seconds.toFixed(1)} s`;
}

async function timeOut(walk: Walk): Promise<string> {
  const { id } = await orderToDecide(walk);
  const began = performance.now();
  await see(badge(walk.page, 'TIMED OUT'), DECIDED_WITHIN_MS);
  const waited = (performance.now() - began) / 1000;
  const { status, fulfillments } = await walk.api.order(id);
  must(status === 'timedOut', 'timedOut', status);
  must(fulfillments?.every((part) => part.status === 'cancelled') ?? false, 'all parts cancelled', fulfillments);
  await seeInList(walk, id, 'TIMED OUT');
  await noShipments(walk, id);
  return `${id} after ${waited.toFixed(0)} s`;
}

/** No package holds unavailable items alone, so its form gets them by hand. */
async function nothingAvailable(walk: Walk): Promise<string> {
  const { page } = walk;
  await openNewOrder(page);
  const id = `A0-${Date.now()}`;
  const order = { id, customerId: '1234', items: [{ sku: 'Adidas UltraBoost', description: '', quantity: 1 }] };
  const field = `document.querySelector('input[name=order]')`;
  await page.evaluate(`${field}.value = ${JSON.stringify(JSON.stringify(order))}`);
  await submit(page, order);
  await see(badge(page, 'ACTION REQUIRED'));
  await button(page, 'Cancel').click();
  await until(
    `${id} cancelled`,
    () => walk.api.order(id),
    ({ status }) => status === 'cancelled',
  );
  return id;
}

export const CUSTOMER_STEPS: readonly Step[] = [
  { name: 'customer orders', run: async (walk) => (await orderToBooked(walk)).id },
  { name: 'customer amends an order with an unavailable item', run: amend },
  { name: 'customer cancels an order with an unavailable item', run: cancel },
  { name: 'customer does not answer in time', run: timeOut },
  {
    name: 'customer orders only what is unavailable',
    knownDefect: 'its reservation fails for ever',
    run: nothingAvailable,
  },
];
