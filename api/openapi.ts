import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';

const ABOUT = `Orders, their shipments and invoices, customers' limits, stock and prices.

Money is in minor units of the currency beside it, times are RFC 3339 in UTC. Lists are paged: give \`next\` back as \`cursor\`.
A POST may be sent again under its \`Idempotency-Key\`: it is done once and answered alike. Errors are problem documents
(RFC 9457); each code is explained under [/docs/errors](/docs/errors).`;

const TAGS = [
  { name: 'orders', description: 'Place orders, look at them, ask for changes.' },
  { name: 'live updates', description: 'What is told of orders, as it happens: Server-Sent Events.' },
  { name: 'shipments', description: "Look at shipments, take carriers' news in." },
  { name: 'invoices', description: 'Invoices and credit notes, as data and to print.' },
  { name: 'limits', description: 'What customers spend and may spend; maintenance.' },
  { name: 'stock', description: 'Stock levels.' },
  { name: 'prices', description: 'The price list.' },
  { name: 'operations', description: 'How the system does, and what it refused.' },
];

/** Of the interface, not of the software: it grows with what /v1 offers. */
const INTERFACE_VERSION = '1.0.0';

/** Collects the document of all routes registered after it; those without a tag are left out. */
export async function collectOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'OMS API', version: INTERFACE_VERSION, description: ABOUT, license: { name: 'Apache-2.0' } },
      tags: TAGS,
    },
    hideUntagged: true,
    transform: jsonSchemaTransform,
    transformObject: (given) => tidyDocument(jsonSchemaTransformObject(given) as OpenAPIV3_1.Document),
  });
}

/** The page loads its own files and asks this server, nobody else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** Serves the document at /openapi.json, and as a page at /docs that needs nothing from elsewhere. */
export async function serveOpenApi(app: FastifyInstance): Promise<void> {
  app.get('/openapi.json', async () => app.swagger());
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: POLICY,
    theme: { title: 'OMS API' },
    // A validator elsewhere would be sent the address of this server.
    uiConfig: {
      layout: 'BaseLayout',
      validatorUrl: null,
      deepLinking: true,
      docExpansion: 'list',
      displayRequestDuration: true,
    },
  });
}

const REF = '#/components/schemas/';
const INPUT = /Input$/;

const DONE: Record<string, string> = { 200: 'Done.', 201: 'Made.', 202: 'Taken in.' };

/**
 * The document as people should read it. Every schema is collected twice, as what is read and as what is written: those
 * that nothing refers to are dropped, and what then needs no telling apart is called by its plain name.
 */
function tidyDocument(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const { schemas = {} } = document.components ?? {};
  const used = reachable(document.paths, schemas);
  const nameOf = (name: string): string => (used.has(name.replace(INPUT, '')) ? name : name.replace(INPUT, ''));
  const kept = [...used].sort().map((name) => [nameOf(name), schemas[name]] as const);
  const renamed = (key: string, value: unknown): unknown => {
    if (key === '$ref' && typeof value === 'string') return REF + nameOf(value.slice(REF.length));
    return key === 'responses' ? withDescriptions(value as OpenAPIV3_1.ResponsesObject) : value;
  };
  const tidy = { ...document, components: { schemas: Object.fromEntries(kept) } };
  return JSON.parse(JSON.stringify(tidy, renamed)) as OpenAPIV3_1.Document;
}

function reachable(paths: unknown, schemas: Record<string, unknown>): Set<string> {
  const found = new Set<string>();
  const waiting: unknown[] = [paths];
  while (waiting.length > 0) {
    for (const name of refsIn(waiting.pop())) {
      if (found.has(name)) continue;
      found.add(name);
      waiting.push(schemas[name]);
    }
  }
  return found;
}

function refsIn(part: unknown): string[] {
  const refs: string[] = [];
  JSON.stringify(part, (key, value: unknown) => {
    if (key === '$ref' && typeof value === 'string') refs.push(value.slice(REF.length));
    return value;
  });
  return refs;
}

function withDescriptions(responses: OpenAPIV3_1.ResponsesObject): OpenAPIV3_1.ResponsesObject {
  const entries = Object.entries(responses).map(([status, response]) => {
    const isBare = 'description' in response && response.description === 'Default Response';
    return [status, isBare ? { ...response, description: DONE[status] ?? 'Done.' } : response];
  });
  return Object.fromEntries(entries) as OpenAPIV3_1.ResponsesObject;
}
