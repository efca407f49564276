import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { tidyDocument } from './openapi-tidy.ts';

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
