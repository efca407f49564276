import type { Page } from 'playwright-core';
import { until } from './api.ts';
import type { Fulfillment } from './api.ts';
import { orderToBooked } from './customer.ts';
import { areAll, badge, button, heading, isAny, placeOrder, see } from './shop.ts';
import type { Package } from './shop.ts';
import { must, mustBeAccepted } from './walk.ts';
import type { Step, Walk } from './walk.ts';

async function openManager(page: Page): Promise<void> {
  await page.goto('/role');
  await page.getByRole('link', { name: 'Store Manager', exact: true }).click();
  await see(heading(page, 'Store Manager'));
}

async function setLimit(page: Page, dollars: string): Promise<void> {
  await openManager(page);
  await page.locator('input[name=price]').fill(dollars);
  await button(page, 'Set Limit').click();
}

async function reset(walk: Walk): Promise<void> {
  await openManager(walk.page);
  await button(walk.page, 'Reset').click();
  await see(walk.page.getByText('Unlimited', { exact: true }));
  await see(walk.page.getByText('Disabled', { exact: true }));
  const { limit, maintenanceMode } = await walk.api.settings();
  must(limit === 0 && !maintenanceMode, 'no limit and no maintenance', { limit, maintenanceMode });
}

async function chargeRefused(walk: Walk): Promise<string> {
  const { page, api } = walk;
  await setLimit(page, '5');
  await see(page.getByText('$5.00', { exact: true }));
  const { limit } = await api.settings();
  must(limit === 500, '500 cents', limit);
  const { id } = await placeOrder(walk, isAny);
  await see(badge(page, 'FAILED'));
  await see(page.getByRole('cell', { name: 'Failed', exact: true }));
  await see(page.locator('li.failed'));
  const order = await api.order(id);
  must(order.status === 'failed', 'failed', order.status);
  const [only] = order.fulfillments ?? [];
  must(only?.payment?.status === 'failed' && only.shipment === undefined, 'no payment, no shipment', only);
  return id;
}

async function limitLifted(walk: Walk): Promise<string> {
  await reset(walk);
  mustBeAccepted(walk.calls(), 'POST', /^\/reset$/);
  return (await orderToBooked(walk)).id;
}

async function limitOfCents(walk: Walk): Promise<string> {
  await setLimit(walk.page, '19.99');
  await see(walk.page.getByText('$19.99', { exact: true }), 5_000);
  const { limit } = await walk.api.settings();
  must(limit === 1999, '1999 cents', limit);
  await reset(walk);
  return '$19.99';
}

/** Neither charged nor failed nor given up. */
const isWaiting = ({ status, payment, shipment }: Fulfillment): boolean =>
  ['pending', 'processing'].includes(status) && payment?.status !== 'success' && shipment === undefined;

async function orderInMaintenance(walk: Walk): Promise<Package> {
  const { page, api } = walk;
  await openManager(page);
  await button(page, 'Toggle Maintenance Mode').click();
  await see(page.getByText('Enabled', { exact: true }));
  must(await button(page, 'Toggle Maintenance Mode').isDisabled(), 'its button disabled', 'enabled');
  must((await api.settings()).maintenanceMode, 'maintenance', await api.settings());
  return placeOrder(walk, isAny);
}

/** An order that comes in maintenance waits, and goes on once it is over. */
async function maintenance(walk: Walk): Promise<string> {
  const { page, api } = walk;
  try {
    const { id } = await orderInMaintenance(walk);
    // Long enough for a charge, were it made; shorter than the reference's patience, 15 s.
    await page.waitForTimeout(3_000);
    const [only] = (await api.order(id)).fulfillments ?? [];
    must(only !== undefined && isWaiting(only), 'a fulfillment that waits for its charge', only);
    await reset(walk);
    await until(
      `${id} charged and booked`,
      () => api.order(id),
      (seen) => areAll(seen, 'booked'),
      90_000,
    );
    await page.goto(`/orders/${id}`);
    await see(page.getByRole('cell', { name: 'Success', exact: true }));
    return id;
  } finally {
    await api.reset();
  }
}

export const MANAGER_STEPS: readonly Step[] = [
  { name: "manager's limit refuses a charge", run: chargeRefused },
  { name: 'manager lifts the limit', run: limitLifted },
  { name: 'manager sets a limit with cents', knownDefect: 'it refuses 1998.9999999999998 cents', run: limitOfCents },
  { name: 'manager turns maintenance on and off', run: maintenance },
];
