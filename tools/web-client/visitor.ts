import type { Page } from 'playwright-core';
import { button, heading, see } from './shop.ts';
import { must } from './walk.ts';
import type { Step, Walk } from './walk.ts';

const ROLES = [
  ['Customer', 'Orders'],
  ['Courier', 'Shipments'],
  ['Store Manager', 'Store Manager'],
  ['Operator', 'Operator'],
] as const;

async function roles({ page }: Walk): Promise<string> {
  for (const [role, title] of ROLES) {
    await page.goto('/');
    await page.waitForURL('**/role');
    await see(heading(page, 'Select Your Role'));
    await page.getByRole('link', { name: role, exact: true }).click();
    await see(heading(page, title));
  }
  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'Home' }).click();
  await page.waitForURL('**/role');
  return ROLES.map(([role]) => role).join(', ');
}

/** Every kind of page by its address, as from a bookmark: rendered by the client's server. */
async function addresses({ page, api }: Walk): Promise<string> {
  const [[order], [shipment]] = await Promise.all([api.orders(), api.shipments()]);
  const details = [order && `/orders/${order.id}`, shipment && `/shipments/${shipment.id}`].filter((path) => path);
  const paths = ['/role', '/orders', '/orders/new', '/shipments', '/admin', '/operator', ...details];
  for (const path of paths) {
    const answer = await page.goto(path ?? '');
    must(answer?.status() === 200, `200 for ${path}`, answer?.status());
    await see(page.getByRole('heading'));
  }
  return `${paths.length} addresses`;
}

/** How the client counts its rows: from, to the end of a full page, of all. */
const position = (page: Page): Promise<string> => page.locator('p', { hasText: ' of ' }).innerText();

async function leafThrough(page: Page, path: string): Promise<string> {
  await page.goto(path);
  const total = /of ([\d,]+)$/.exec(await position(page))?.[1];
  const all = Number(total?.replace(',', ''));
  must(all > 50, `more than a page of ${path}`, total);
  const firstId = await page.getByRole('row').nth(1).getByRole('link').innerText();
  await button(page, 'Next').click();
  await see(page.getByText(`51 - 100 of ${total}`));
  const onNext = await page.getByRole('row').nth(1).getByRole('link').innerText();
  must(onNext !== firstId, 'other rows on the next page', onNext);
  await button(page, 'Previous').click();
  await see(page.getByText(`1 - 50 of ${total}`));
  return `${total} of ${path}`;
}

const pages = async ({ page }: Walk): Promise<string> =>
  `${await leafThrough(page, '/orders')}, ${await leafThrough(page, '/shipments')}`;

/** Before anybody acts. */
export const FIRST_STEPS: readonly Step[] = [{ name: 'visitor chooses a role', run: roles }];
/** Once there is something to see. */
export const LAST_STEPS: readonly Step[] = [
  { name: 'visitor leafs through the lists', run: pages },
  { name: 'visitor opens every page by its address', run: addresses },
];
