import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Html, html, moneyText, pageOf, prefersHtml } from '../../api/html.ts';

describe('HTML of a template', () => {
  it('escapes whatever is put in, and never twice', () => {
    const inner = html`<b title="${'"\''}">${'<&>'}</b>`;
    expect(html`<p>${inner}${[1, ' ', inner]}${null}${undefined}${false}</p>`.text).toBe(
      `<p>${inner.text}1 ${inner.text}</p>`,
    );
    expect(inner.text).toBe('<b title="&quot;&#39;">&lt;&amp;&gt;</b>');
  });

  it('lets no text out of its place', () => {
    fc.assert(fc.property(fc.string(), (text) => !/[<>"']/.test(html`${text}`.text)));
  });

  it('makes a page whose policy allows its own style and nothing else', () => {
    const { body, policy } = pageOf({ title: '<t>', style: 'a{}', body: new Html('<p>') });
    expect(body).toContain('<title>&lt;t&gt;</title>');
    // As `openssl dgst -sha256 -binary | base64` says of `a{}`.
    expect(policy).toContain("style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='");
    expect(body).toContain('<style>a{}</style>');
  });
});

describe('What a caller would rather have', () => {
  it.each([
    [undefined, false],
    ['*/*', false],
    ['application/json', false],
    ['text/html', true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['text/html;q=0.5, application/json', false],
    ['application/json;q=0.5, text/html;q=0.6', true],
    ['text/html;q=0', false],
    ['text/*, application/json;q=0.1', true],
    ['text/html;q=x', false],
  ])('by %s: HTML is %s', (accept, expected) => {
    expect(prefersHtml(accept)).toBe(expected);
  });
});

describe('Money for people', () => {
  it.each([
    [123_456, 'GBP', '1,234.56'],
    [5, 'GBP', '0.05'],
    [0, 'EUR', '0.00'],
    [123_456, 'JPY', '123,456'],
    [1_234, 'KWD', '1.234'],
    [-50, 'USD', '−0.50'],
    [Number.MAX_SAFE_INTEGER, 'USD', '90,071,992,547,409.91'],
    [100, 'ZZZ', '1.00'],
  ])('%i of %s is %s', (amount, currency, text) => {
    expect(moneyText(amount, currency)).toBe(text);
  });
});
