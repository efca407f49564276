import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { faultError } from '../../domain/errors.ts';
import { MAX_CUSTOMER_ID_CHARACTERS, MAX_ITEMS, MAX_SKU_CHARACTERS } from '../../domain/order.ts';
import { check, grouped, identifier } from '../../domain/rules.ts';
import type { Charge, WantedCharge } from '../../orders/money/charges.ts';
import { pricingRules } from '../../platform/config/pricing-rules.ts';
import { charge } from '../commands/charge.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { keyOf, readBody, sendJson, statsOf } from './messages.ts';
import type { Fields } from './messages.ts';
import { itemsOf } from './orders.ts';

/** The reference's billing service: charges outside of any order. */
export function registerBilling(app: FastifyInstance, deps: ApiDependencies): void {
  const pricing = pricingRules(deps.config);
  app.post('/charge', async (request, reply) => {
    const wanted = wantedCharge(request, deps.config.OMS_API_CURRENCY);
    return sendJson(reply, chargeJson(await charge({ ...deps, pricing }, wanted)));
  });
  app.get('/charge/stats', async (_request, reply) => sendJson(reply, await statsOf(deps)));
}

const customerId = identifier(MAX_CUSTOMER_ID_CHARACTERS);
const reference = identifier(200);
const sku = identifier(MAX_SKU_CHARACTERS);

/** The slash keeps its id apart from those of fulfillments. Without a key it stands for itself alone. */
function wantedCharge(request: FastifyRequest, currency: string): WantedCharge {
  const body = readBody(request);
  return {
    id: `charge/${keyOf(request, body) ?? randomUUID()}`,
    ...{ currency, customerId: body.text('customerId', customerId) },
    ...{ reference: body.text('orderReference', reference), items: chargeItems(body) },
  };
}

function chargeItems(body: Fields): WantedCharge['items'] {
  const items = itemsOf(body);
  if (items.length < 1 || items.length > MAX_ITEMS) {
    const rule = `must be 1 to ${grouped(MAX_ITEMS)} lines`;
    throw faultError('OMS_API_REQUEST_INVALID', { field: 'items', value: items.length, rule });
  }
  items.forEach((item, i) => check(() => `items[${i}].sku`, item.sku, sku, 'OMS_API_REQUEST_INVALID'));
  return items;
}

function chargeJson({ invoiceId, subTotal, shipping, tax, total, status, authCode }: Charge) {
  const amounts = { subTotal, shipping, tax, total };
  return { invoiceReference: invoiceId, ...amounts, success: status === 'success', authCode: authCode ?? '' };
}
