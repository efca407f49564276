import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

/** HTML that may be put into HTML as it is. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | null | undefined | false | readonly Part[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** HTML from a template: everything put in is escaped, unless it is HTML already. Nothing is made of null and false. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(literals.map((literal, i) => literal + textOf(parts[i])).join(''));
}

function textOf(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(textOf).join('');
  return String(part).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** A page that needs nothing but itself, and its policy: a browser runs no script in it and fetches nothing for it. */
export interface HtmlPage {
  body: string;
  policy: string;
}

export function pageOf({ title, style, body }: { title: string; style: string; body: Html }): HtmlPage {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${new Html(`<style>${style}</style>`)}
      </head>
      <body>
        ${body}
      </body>
    </html> `;
  const styleHash = hash('sha256', style, 'base64');
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`;
  return { body: page.text, policy };
}

export function sendPage(reply: FastifyReply, { body, policy }: HtmlPage): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .serializer(String)
    .send(body);
}

/** Whether a caller would rather have HTML than JSON, by its Accept header. Without a preference it gets JSON. */
export function prefersHtml(accept: string | undefined): boolean {
  const quality = (wanted: string[]): number => {
    const found = (accept ?? '').split(',').map(rangeOf);
    for (const range of wanted) {
      const match = found.find(({ name }) => name === range);
      if (match) return match.quality;
    }
    return 0;
  };
  return quality(['text/html', 'text/*']) > quality(['application/json', 'application/*', '*/*']);
}

function rangeOf(range: string): { name: string; quality: number } {
  const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return { name, quality: Number.isFinite(quality) ? quality : 0 };
}

const DEFAULT_DIGITS = 2;

/** Minor units as people read them: 123456 of GBP is 1,234.56, of JPY 123,456. Exact, however large. */
export function moneyText(amount: number, currency: string): string {
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
  const decimals = digits ?? DEFAULT_DIGITS;
  const figures = String(Math.abs(amount)).padStart(decimals + 1, '0');
  const whole = BigInt(figures.slice(0, figures.length - decimals)).toLocaleString('en');
  const fraction = decimals === 0 ? '' : `.${figures.slice(-decimals)}`;
  return `${amount < 0 ? '−' : ''}${whole}${fraction}`;
}
