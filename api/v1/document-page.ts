import type { DescribedLine } from '../../database/read/invoices.ts';
import type { Address } from '../../domain/order.ts';
import { html, pageOf } from '../html.ts';
import type { Html, HtmlPage } from '../html.ts';
import { moneyText } from '../money-text.ts';
import { DOCUMENT_STYLE } from './document-style.ts';

export type Fact = readonly [name: string, value: string | Html | null];

export interface State {
  text: string;
  tone: 'good' | 'open' | 'bad';
}

/** A bill, or what takes one back. */
export interface Document {
  title: string;
  kind: string;
  number: string;
  state: State;
  facts: Fact[];
  document: Bill;
  taxName: string;
  totalName: string;
  after: (Html | null | false)[];
}

interface Bill {
  currency: string;
  subTotal: number;
  tax: number;
  shipping: number;
  total: number;
  shipTo: Address | null;
  lines: readonly DescribedLine[];
}

/** The sheet that invoices and credit notes are written on. */
export function documentPage({
  title,
  kind,
  number,
  state,
  facts,
  document,
  taxName,
  totalName,
  after,
}: Document): HtmlPage {
  const body = html`<main>
    <header>
      <div>
        <p class="kind">${kind}</p>
        <h1>${number}</h1>
      </div>
      <p class="state ${state.tone}">${state.text}</p>
    </header>
    <div class="head">${factList(facts)} ${document.shipTo && addressBlock(document.shipTo)}</div>
    ${linesTable(document)} ${totals(document, taxName, totalName)}
    <div class="after">${after}</div>
  </main>`;
  return pageOf({ title, style: DOCUMENT_STYLE, body });
}

const factList = (facts: readonly Fact[]): Html =>
  html`<dl>
    ${facts.map(
      ([name, value]) =>
        value !== null &&
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;

/** A titled list of facts below the bill. */
export const section = (title: string, facts: readonly Fact[]): Html =>
  html`<section>
    <h2>${title}</h2>
    ${factList(facts)}
  </section>`;

function addressBlock({ name, line1, line2, city, region, postalCode, country }: Address): Html {
  const town = [city, region, postalCode].filter(Boolean).join(', ');
  const lines = [name, line1, line2, town, country].filter((line) => line);
  return html`<address>
    <h2>Ship to</h2>
    ${lines.map((line) => html`${line}<br />`)}
  </address>`;
}

function linesTable({ lines, currency }: Bill): Html {
  const money = (amount: number) => moneyText(amount, currency);
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Item</th>
        <th scope="col" class="figure">Quantity</th>
        <th scope="col" class="figure">Unit price</th>
        <th scope="col" class="figure">Tax</th>
        <th scope="col" class="figure">Amount ${currency}</th>
      </tr>
    </thead>
    <tbody>
      ${lines.map(
        ({ sku, description, quantity, unitPrice, tax, amount }) =>
          html`<tr>
            <td>${description ?? sku}${description !== null && html`<span class="quiet">${sku}</span>`}</td>
            <td class="figure">${quantity.toLocaleString('en')}</td>
            <td class="figure">${money(unitPrice)}</td>
            <td class="figure">${money(tax)}</td>
            <td class="figure">${money(amount)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function totals({ subTotal, tax, shipping, total, currency }: Bill, taxName: string, totalName: string): Html {
  const row = (name: string, amount: number, isLast = false): Html =>
    html`<div class="${isLast ? 'total' : 'part'}">
      <dt>${name}</dt>
      <dd>${isLast && `${currency} `}${moneyText(amount, currency)}</dd>
    </div>`;
  return html`<dl class="totals">
    ${row('Subtotal', subTotal)} ${row(taxName, tax)} ${row('Shipping', shipping)} ${row(totalName, total, true)}
  </dl>`;
}
