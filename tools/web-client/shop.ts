import type { Locator, Page } from 'playwright-core';
import type { Item, Order } from './api.ts';
import { must } from './walk.ts';
import type { Walk } from './walk.ts';

/** What the client calls the states of orders and shipments on its badges. */
export const badge = (page: Page, label: string): Locator => page.locator('main div').getByText(label, { exact: true });
export const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true });
export const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });
/** The row of a list that shows this id. */
export const rowOf = (page: Page, id: string): Locator =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name: id, exact: true }) });

/** Waits until something is to be seen. */
export async function see(what: Locator, withinMs = 20_000): Promise<void> {
  await what.first().waitFor({ state: 'visible', timeout: withinMs });
}

export interface Package {
  id: string;
  items: Item[];
}

const isAvailable = ({ sku }: Item): boolean => !sku.includes('Adidas');
/** A package with items of both kinds, enough of them for both warehouses. */
export const isMixed = ({ items }: Package): boolean =>
  !items.every(isAvailable) && items.filter(isAvailable).length > 1;
export const isAny = (): boolean => true;

const packageOn = async (page: Page): Promise<Package> =>
  JSON.parse(await page.locator('input[name=order]').inputValue()) as Package;

/** Goes as a customer does from the start page to the page of a new order. */
export async function openNewOrder(page: Page): Promise<void> {
  await page.goto('/');
  await page.getByRole('link', { name: 'Customer', exact: true }).click();
  await see(heading(page, 'Orders'));
  await button(page, 'New Order').click();
  await see(heading(page, 'New Order'));
}

/** Looks through the packages for one that will do; they are drawn at random, so all may have to be drawn anew. */
async function choose(page: Page, will: (candidate: Package) => boolean): Promise<Package> {
  for (let draws = 0; draws < 10; draws += 1) {
    await openNewOrder(page);
    for (let number = 1; number <= 20; number += 1) {
      await button(page, `Package ${number}`).click();
      const candidate = await packageOn(page);
      if (will(candidate)) return candidate;
    }
  }
  throw new Error('ten draws of twenty packages held none that will do');
}

/** Submits the package that is chosen and waits for its order's page. */
export async function submit(page: Page, chosen: Package): Promise<void> {
  await button(page, 'Submit').click();
  await page.waitForURL(`**/orders/${chosen.id}`);
  await see(heading(page, chosen.id));
}

/** Orders a package; its order is to be read at the API as soon as the client shows it. */
export async function placeOrder(walk: Walk, will: (candidate: Package) => boolean): Promise<Package> {
  const chosen = await choose(walk.page, will);
  await submit(walk.page, chosen);
  const { id } = await walk.api.order(chosen.id);
  must(id === chosen.id, chosen.id, id);
  return chosen;
}

const dollars = (cents: number): string =>
  (cents / 100).toLocaleString('en-US', { style: 'currency', currency: 'USD' });

/** Every amount of the order's payments stands on the page. */
export async function seeAmounts(page: Page, order: Order): Promise<void> {
  const text = await page.locator('main').innerText();
  for (const { payment } of order.fulfillments ?? []) {
    if (!payment) continue;
    for (const cents of [payment.subTotal, payment.tax, payment.shipping, payment.total])
      must(text.includes(dollars(cents)), `${dollars(cents)} on the page of ${order.id}`, text);
  }
}

export const areAll = (order: Order, status: string): boolean => {
  const going = (order.fulfillments ?? []).filter(({ location }) => location !== undefined);
  return going.length > 0 && going.every(({ shipment }) => shipment?.status === status);
};
