import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ERRORS } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { ORDER_ID_PATTERN, ORDER_ID_RULE } from '../../domain/ids.ts';
import { MAX_CUSTOMER_ID_CHARACTERS, MAX_ITEMS, MAX_QUANTITY, MAX_SKU_CHARACTERS } from '../../domain/order.ts';
import { currency as currencyRule } from '../../domain/rules.ts';

/** JSON can write half a character down, which no database and no topic can hold. */
const isUnicode = (value: string): boolean => value.isWellFormed();
const UNICODE_RULE = 'must be well-formed Unicode, without lone surrogates';

/** The shapes that all parts of /v1 are made of. Money is minor units with a currency beside it; times are RFC 3339. */
export const identifier = (max: number) =>
  z
    .string()
    .min(1, `must be 1 to ${max} characters`)
    .max(max, `must be 1 to ${max} characters`)
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'must not contain control characters')
    .refine(isUnicode, UNICODE_RULE);

/** An id in a path or query: whatever it names is found, or is not. */
export const wantedId = identifier(300);

export const orderId = z
  .string()
  .regex(ORDER_ID_PATTERN, ORDER_ID_RULE)
  .meta({ description: 'Order id, global over all sources.', examples: ['order-1001'] });
/** Of a fulfillment and of its shipment. */
export const shipmentId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}:[1-9]\d{0,8}$/, 'must be <order id>:<number>')
  .meta({ description: '`<orderId>:<n>`.', examples: ['order-1001:1'] });
export const customerId = identifier(MAX_CUSTOMER_ID_CHARACTERS).meta({
  description: 'Customer id.',
  examples: ['customer-42'],
});
export const sku = identifier(MAX_SKU_CHARACTERS).meta({ description: 'Stock keeping unit.', examples: ['85123A'] });
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be a currency code of ISO 4217 in capitals, such as GBP')
  .meta({ description: 'ISO 4217.', examples: ['GBP'] });
/** One that is in use; the list is that of the running Node. */
export const knownCurrency = currency
  .refine(currencyRule.holds, currencyRule.rule)
  .meta({ description: 'ISO 4217.', examples: ['GBP'] });
export const minorUnits = z.int().describe('Minor units of the currency: pence, cents.');
const quantity = z
  .int('must be a whole number')
  .min(1, 'must be 1 or more')
  .max(MAX_QUANTITY, `must be at most ${MAX_QUANTITY}`)
  .describe('Pieces.');
export const time = z.iso.datetime().describe('RFC 3339, UTC.');
export const text = z
  .string()
  .max(2_000, 'must be at most 2,000 characters')
  .regex(/^[^\u0000]*$/, 'must not contain the character U+0000')
  .refine(isUnicode, UNICODE_RULE);

export const address = z
  .object({
    name: text.nullish(),
    line1: text.nullish(),
    line2: text.nullish(),
    city: text.nullish(),
    region: text.nullish(),
    postalCode: text.nullish(),
    country: identifier(100).describe('ISO 3166-1 alpha-2 where known.'),
  })
  .strict()
  .meta({ id: 'Address' });

export const orderItem = z
  .object({
    sku,
    quantity,
    unitPrice: z
      .int()
      .min(0, 'must be 0 or more')
      .nullish()
      .describe('Minor units; without it the price list decides.'),
    description: text.nullish(),
  })
  .strict()
  .meta({ id: 'OrderItem' });

export const items = z
  .array(orderItem)
  .min(1, 'must have 1 line or more')
  .max(MAX_ITEMS, `must have at most ${MAX_ITEMS} lines`);

/** The error of every route: a problem document of RFC 9457. */
const problem = z
  .object({
    type: z.string().describe('Where the code is explained, on this server.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    retryable: z.boolean().describe('Whether the same request may succeed later.'),
    field: z.string().optional().describe('What broke a rule.'),
    value: z.string().optional().describe('The value as it came, shortened.'),
    rule: z.string().optional().describe('The rule.'),
    line: z.int().optional().describe('Of a file of many lines, from 1.'),
    requestId: z.string(),
  })
  .meta({ id: 'Problem' });

const PROBLEM_TYPE = 'application/problem+json';
const REASONS: Record<number, string> = {
  400: 'The request breaks a rule.',
  404: 'There is no such thing.',
  405: 'The path does not take this method.',
  409: 'It contradicts what is so.',
  413: 'The body is too large.',
  415: 'Not a media type this route knows.',
  422: 'Understood, and cannot be carried out.',
  429: 'Too many requests.',
  500: 'A fault of the OMS.',
  503: 'A part of the system is away; try again.',
};

/** The error answers a route may give, for its documentation; every route may give the last ones. */
export function problems(...statuses: number[]) {
  const all = [...new Set([400, ...statuses, 429, 500, 503])];
  return Object.fromEntries(
    all.map((status) => [
      status,
      { description: REASONS[status] ?? 'Refused.', content: { [PROBLEM_TYPE]: { schema: problem } } },
    ]),
  );
}

const MAX_PAGE = 500;
const DEFAULT_PAGE = 50;

/** How every list is paged. */
export const paging = {
  limit: z.coerce
    .number('must be a whole number')
    .int('must be a whole number')
    .min(1, `must be 1 to ${MAX_PAGE}`)
    .max(MAX_PAGE, `must be 1 to ${MAX_PAGE}`)
    .default(DEFAULT_PAGE)
    .describe('Items of a page.'),
  cursor: z.string().max(500).optional().describe('`next` of the page before.'),
};
export const next = z.string().nullable().describe('`cursor` of the next page; null at the end.');

/** A time as it is given to us, with any offset; read as ms since the epoch. */
export const givenTime = z.iso
  .datetime({ offset: true, error: 'must be a time of RFC 3339, such as 2026-01-31T12:00:00Z' })
  .transform((value) => Date.parse(value));

export const idempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200, 'must be 1 to 200 characters')
    .optional()
    .describe('The same request may be sent again under its key: it is done once, and answered alike.'),
});

/** Which page is asked for. @throws OmsError OMS_API_REQUEST_INVALID for a cursor that is none of ours */
export function placeOf<C>({ cursor, limit }: { cursor?: string; limit: number }, read: (text: string) => C) {
  return { after: cursor === undefined ? undefined : read(cursor), limit };
}

/** One or more of the given words, comma separated, as a query gives them. */
export function oneOrMoreOf<T extends string>(words: readonly T[]) {
  const word = `(${words.join('|')})`;
  return z
    .string()
    .regex(new RegExp(`^${word}(,${word})*$`), `must be one or more, comma separated, of ${words.join(', ')}`)
    .transform((value) => value.split(',') as T[])
    .describe('One or more, comma separated.');
}

/** An app whose routes are typed by their zod schemas. */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}

/** Times as the API writes them. */
export const iso = (time: Date | number): string => new Date(time).toISOString();
export const isoOrNull = (time: Date | number | null): string | null => (time === null ? null : iso(time));
