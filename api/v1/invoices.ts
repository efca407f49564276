import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { readCursor, writeCursor } from '../../database/read/cursor.ts';
import { listCreditNotes, listInvoices, readCreditNote, readInvoice } from '../../database/read/invoices.ts';
import { OmsError } from '../../domain/errors.ts';
import { CREDIT_NOTES } from '../../orders/money/series.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { prefersHtml, sendPage } from '../html.ts';
import type { HtmlPage } from '../html.ts';
import { customerId, givenTime, orderId, paging, placeOf, problems, typed, wantedId } from './atoms.ts';
import { creditNotePage, invoicePage } from './document-html.ts';
import {
  creditNote,
  creditNoteJson,
  creditNotePage as notePage,
  invoice,
  invoiceJson,
  invoicePage as page,
  listedJson,
  noteJson,
} from './invoice-schemas.ts';

const query = z
  .object({
    customer: customerId.optional(),
    order: orderId.optional(),
    from: givenTime.optional().describe('Issued at or after.'),
    to: givenTime.optional().describe('Issued before.'),
    ...paging,
  })
  .strict();

const noteQuery = z
  .object({ order: orderId.optional(), invoice: wantedId.optional().describe('Invoice number.'), ...paging })
  .strict();

const HTML_SUFFIX = /\.html$/;
const HTML_ABOUT = 'As a page to read and print with `Accept: text/html`, or with `.html` behind the number.';

/** Invoices and credit notes, as data and as pages to print. */
export function registerInvoices(app: FastifyInstance, deps: ApiDependencies): void {
  registerLists(app, deps);
  registerDocuments(app, deps);
}

function registerLists(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/invoices',
    {
      schema: {
        operationId: 'listInvoices',
        summary: 'Invoices, newest first.',
        tags: ['invoices'],
        querystring: query,
        response: { 200: page, ...problems() },
      },
    },
    async ({ query: { customer, order, from, to, ...rest } }) => {
      const filter = { customerId: customer, orderId: order, from, to };
      const { items, next } = await listInvoices(db, filter, placeOf(rest, readCursor));
      return { items: items.map(listedJson), next: next && writeCursor(next) };
    },
  );
  typed(app).get(
    '/credit-notes',
    {
      schema: {
        operationId: 'listCreditNotes',
        summary: 'Credit notes, newest number first.',
        tags: ['invoices'],
        querystring: noteQuery,
        response: { 200: notePage, ...problems() },
      },
    },
    async ({ query: { order, invoice, ...rest } }) => {
      const filter = { orderId: order, invoiceId: invoice };
      const { items, next } = await listCreditNotes(db, CREDIT_NOTES, filter, placeOf(rest, readCursor));
      return { items: items.map(noteJson), next: next && writeCursor(next) };
    },
  );
}

/** What a document's route gives: the same under one address, in the form that is asked for. */
function documentSchema<T extends z.ZodType>(operationId: string, summary: string, example: string, json: T) {
  const description = 'As data, or as a page that needs nothing but itself.';
  const content = { 'application/json': { schema: json }, 'text/html': { schema: z.string() } };
  return {
    operationId,
    summary,
    description: HTML_ABOUT,
    tags: ['invoices'],
    params: z.object({
      id: wantedId.meta({
        description: 'Number of the document; `.html` behind it asks for the page.',
        examples: [example],
      }),
    }),
    response: { 200: { description, content }, ...problems(404) },
  };
}

function registerDocuments(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/invoices/:id',
    {
      schema: documentSchema(
        'getInvoice',
        'An invoice with its lines, pricing, payment and credit notes.',
        'INV-00000001',
        invoice,
      ),
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = await readInvoice(db, id.replace(HTML_SUFFIX, ''));
      if (!found) throw unknownDocument('invoice', id);
      return giveDocument(request, reply, { page: () => invoicePage(found), json: () => invoiceJson(found) });
    },
  );
  typed(app).get(
    '/credit-notes/:id',
    { schema: documentSchema('getCreditNote', 'A credit note with its lines.', 'CN-00000001', creditNote) },
    async (request, reply) => {
      const { id } = request.params;
      const found = await readCreditNote(db, id.replace(HTML_SUFFIX, ''));
      if (!found) throw unknownDocument('credit note', id);
      return giveDocument(request, reply, { page: () => creditNotePage(found), json: () => creditNoteJson(found) });
    },
  );
}

type Document = { page: () => HtmlPage; json: () => unknown };

function giveDocument(request: FastifyRequest, reply: FastifyReply, { page, json }: Document): FastifyReply {
  const { id } = request.params as { id: string };
  reply.header('vary', 'accept');
  if (HTML_SUFFIX.test(id) || prefersHtml(request.headers.accept)) return sendPage(reply, page());
  return reply.type('application/json').send(json());
}

function unknownDocument(kind: string, id: string): OmsError {
  return new OmsError('OMS_INVOICE_UNKNOWN', `no ${kind} ${id.replace(HTML_SUFFIX, '')}`);
}
