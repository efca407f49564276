import type { DescribedLine } from '../../database/read/invoices.ts';
import type { Address } from '../../domain/order.ts';
import { html, moneyText, pageOf } from '../html.ts';
import type { Html, HtmlPage } from '../html.ts';

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

/** Of invoices and credit notes: a sheet on the screen, and just the sheet on paper. */
const DOCUMENT_STYLE = `
:root { color-scheme: light; --ink: #1c2430; --quiet: #5f6b7a; --rule: #dfe4ea; }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: #f0f2f5; color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 3rem; background: #fff; border-radius: 6px;
  box-shadow: 0 1px 3px rgb(0 0 0 / .12), 0 8px 24px rgb(0 0 0 / .06); }
header { display: flex; justify-content: space-between; align-items: flex-start; gap: 1rem;
  padding-bottom: 1.5rem; border-bottom: 2px solid var(--ink); }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { margin: 0 0 .5rem; font-size: .75rem; font-weight: 600; text-transform: uppercase; letter-spacing: .06em;
  color: var(--quiet); }
.kind { margin: 0; color: var(--quiet); }
.state { margin: 0; padding: .2rem .8rem; border: 1px solid; border-radius: 999px; font-weight: 600; white-space: nowrap; }
.good { color: #14713d; } .open { color: #8a5a00; } .bad { color: #a4262c; }
.head { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem; margin: 1.5rem 0 2rem; }
dl { margin: 0; }
dl > div { display: flex; gap: 1rem; }
dt { flex: 0 0 7rem; color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
address { font-style: normal; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; }
th { padding: .5rem .5rem; border-bottom: 1px solid var(--ink); text-align: left; font-size: .8rem; color: var(--quiet); }
td { padding: .6rem .5rem; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.quiet { display: block; color: var(--quiet); font-size: .85rem; }
.totals { margin: 1rem 0 2rem auto; width: min(20rem, 100%); }
.totals > div { justify-content: space-between; padding: .25rem 0; }
.totals dt { flex: none; } .totals dd { font-variant-numeric: tabular-nums; }
.totals .total { margin-top: .4rem; padding-top: .6rem; border-top: 2px solid var(--ink); font-size: 1.2rem; font-weight: 700; }
.totals .total dt { color: inherit; }
.after { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem; }
section { padding-top: 1rem; border-top: 1px solid var(--rule); break-inside: avoid; }
@media (max-width: 40rem) { main { padding: 1.5rem; } .head, .after { grid-template-columns: 1fr; gap: 1rem; } }
@media print {
  @page { size: A4; margin: 18mm 16mm; }
  body { padding: 0; background: none; font-size: 10.5pt; }
  main { max-width: none; padding: 0; box-shadow: none; border-radius: 0; }
  thead { display: table-header-group; }
  tr, .totals { break-inside: avoid; }
}
`;
