import type { Page } from 'playwright-core';
import { until } from './api.ts';
import { orderToBooked } from './customer.ts';
import { badge, button, heading, rowOf, see } from './shop.ts';
import { must, mustBeAccepted } from './walk.ts';
import type { Step, Walk } from './walk.ts';

const STATUS = /^\/shipments\/[^/]+\/status$/;

/** Goes as a courier does from the start page to a shipment. */
async function openShipment(page: Page, id: string, label: string): Promise<void> {
  await page.goto(new URL('/role', page.url()).href);
  await page.getByRole('link', { name: 'Courier', exact: true }).click();
  await see(heading(page, 'Shipments'));
  await see(rowOf(page, id).getByText(label, { exact: true }));
  await rowOf(page, id).getByRole('link').click();
  await see(heading(page, id));
}

async function mustOffer(page: Page, dispatch: boolean, deliver: boolean): Promise<void> {
  const ask = async (): Promise<string> =>
    [await button(page, 'Dispatch').isEnabled(), await button(page, 'Deliver').isEnabled()].join();
  await until('Dispatch and Deliver enabled', ask, (seen) => seen === [dispatch, deliver].join(), 5_000);
}

/** Another tab on the same shipment follows without being loaded again. */
async function openTwice(walk: Walk, id: string): Promise<[Page, Page]> {
  const first = await walk.tab();
  await first.goto(walk.page.url());
  await openShipment(first, id, 'BOOKED');
  const second = await walk.tab();
  await second.goto(first.url());
  await see(heading(second, id));
  for (const page of [first, second]) await mustOffer(page, true, false);
  return [first, second];
}

/** The customer's page stays open meanwhile and follows by itself. */
async function deliverStepwise(walk: Walk): Promise<string> {
  const { id: orderId } = await orderToBooked(walk);
  const id = `${orderId}:1`;
  const [first, second] = await openTwice(walk, id);
  await button(first, 'Dispatch').click();
  for (const page of [first, second]) await mustOffer(page, false, true);
  await until(
    `${id} dispatched`,
    () => walk.api.shipment(id),
    ({ status }) => status === 'dispatched',
  );
  await see(walk.page.locator('li.completed', { hasText: 'DISPATCHED' }));
  await button(second, 'Deliver').click();
  for (const page of [first, second]) await mustOffer(page, false, false);
  await until(
    `${id} delivered`,
    () => walk.api.shipment(id),
    ({ status }) => status === 'delivered',
  );
  mustBeAccepted(walk.calls(), 'POST', STATUS);
  await mustBeDelivered(walk, orderId);
  await openShipment(first, id, 'DELIVERED');
  for (const page of [first, second]) await page.close();
  return id;
}

async function mustBeDelivered(walk: Walk, orderId: string): Promise<void> {
  await see(badge(walk.page, 'COMPLETED'));
  await see(walk.page.locator('li.completed', { hasText: 'DELIVERED' }));
  const { status } = await walk.api.order(orderId);
  must(status === 'completed', 'completed', status);
  const left = (await walk.api.pending()).filter(({ id }) => id.startsWith(`${orderId}:`));
  must(left.length === 0, `nothing of ${orderId} pending`, left);
}

/** Both buttons in a row: the second piece of news is on its way before the first has had its effect. */
async function deliverAtOnce(walk: Walk): Promise<string> {
  const { id: orderId } = await orderToBooked(walk);
  const courier = await walk.tab();
  await courier.goto(new URL(`/shipments/${orderId}:1`, walk.page.url()).href);
  await button(courier, 'Dispatch').click();
  await button(courier, 'Deliver').click();
  await mustBeDelivered(walk, orderId);
  mustBeAccepted(walk.calls(), 'POST', STATUS);
  await courier.close();
  return `${orderId}:1`;
}

export const COURIER_STEPS: readonly Step[] = [
  { name: 'courier dispatches and delivers', run: deliverStepwise },
  { name: 'courier dispatches and delivers at once', run: deliverAtOnce },
];
