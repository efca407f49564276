/** The services of the reference; each may listen on an address of its own. */
export type Service = 'order' | 'shipment' | 'billing' | 'fraud';

/**
 * One request of the scenario. `<name>` in path or body stands for an id that is new in each run. With `until`, it is
 * asked again until the answer's body holds that text, or all of several, since the request before it takes effect a little later.
 */
export interface ContractRequest {
  what: string;
  service: Service;
  method: string;
  path: string;
  body?: string;
  contentType?: string;
  until?: string | readonly string[];
  /** Likewise: it is asked again while the answer's body holds that text. */
  without?: string;
}

type Extra = Pick<ContractRequest, 'contentType' | 'until' | 'without'>;
type Row = [what: string, method: string, path: string, body?: string, extra?: Extra];

const of = (service: Service, rows: readonly Row[]): ContractRequest[] =>
  rows.map(([what, method, path, body, extra]) => ({ what, service, method, path, body, ...extra }));

const order = (id: string, skus: readonly string[], more = ''): string =>
  `{"id":"<${id}>","customerId":"1234","items":[${skus.map((sku) => `{"sku":"${sku}","quantity":1}`).join(',')}]${more}}`;
const withQuantity = (quantity: string): string =>
  `{"id":"<quantity>","customerId":"1234","items":[{"sku":"Vans","quantity":${quantity}}]}`;
const charge = (key: string, items: string): string =>
  `{"customerId":"<payer>","orderReference":"<${key}>:1","items":${items},"idempotencyKey":"<${key}>"}`;
const oneItem = '[{"sku":"Vans","quantity":1}]';

const ORDERS_PLACED = of('order', [
  ['a list without orders', 'GET', '/orders'],
  ['an order', 'POST', '/orders', order('simple', ['Vans'])],
  ['an order, as JSON', 'POST', '/orders', order('json', ['Vans']), { contentType: 'application/json' }],
  [
    'an order, as a form',
    'POST',
    '/orders',
    order('form', ['V']),
    { contentType: 'application/x-www-form-urlencoded' },
  ],
  ['an order without a content type', 'POST', '/orders', order('untyped', ['Vans']), { contentType: '' }],
  ['an order with unknown fields', 'POST', '/orders', order('extra', ['Vans'], ',"gift":true')],
  ['names in other case', 'POST', '/orders', order('case', ['Vans']).replace('customerId', 'CUSTOMERID')],
  ['bytes after the JSON value', 'POST', '/orders', `${order('trailing', ['Vans'])} more`],
  ['the same order again', 'POST', '/orders', order('simple', ['Vans'])],
  ['another order of the same id', 'POST', '/orders', order('simple', ['Puma', 'Vans'])],
  ['two warehouses', 'POST', '/orders', order('two', ['Nike', 'Vans', 'Puma'])],
  ['an item that is not available', 'POST', '/orders', order('amended', ['Adidas', 'Nike', 'Vans'])],
  ['another such order', 'POST', '/orders', order('cancelled', ['Adidas', 'Nike'])],
  ['a third such order', 'POST', '/orders', order('unheard', ['Adidas', 'Nike'])],
  ['a fourth such order', 'POST', '/orders', order('late', ['Adidas', 'Nike'])],
]);

const ORDERS_REFUSED = of('order', [
  ['no body', 'POST', '/orders'],
  ['not JSON', 'POST', '/orders', 'order'],
  ['JSON cut off', 'POST', '/orders', '{"id":"x"'],
  ['null', 'POST', '/orders', 'null'],
  ['an empty object', 'POST', '/orders', '{}'],
  ['an array', 'POST', '/orders', '[]'],
  ['an id that is a number', 'POST', '/orders', '{"id":1}'],
  ['no items', 'POST', '/orders', '{"id":"<itemless>","customerId":"1234","items":[]}'],
  ['no customer', 'POST', '/orders', '{"id":"<nobody>","items":[{"sku":"Vans","quantity":1}]}'],
  ['a fraction of a piece', 'POST', '/orders', withQuantity('1.5')],
  ['a quantity beyond 32 bits', 'POST', '/orders', withQuantity('2147483648')],
  ['a quantity in quotes', 'POST', '/orders', withQuantity('"2"')],
]);

const booked = (...shipmentIds: string[]): string[] => shipmentIds.map((id) => `"${id}","status":"booked"`);

const ORDERS_READ = of('order', [
  ['an order under way', 'GET', '/orders/<simple>', undefined, { until: '"booked"' }],
  ['an order of two shipments', 'GET', '/orders/<two>', undefined, { until: booked('<two>:1', '<two>:2') }],
  ['its head', 'HEAD', '/orders/<simple>'],
  ['an order that waits for its customer', 'GET', '/orders/<amended>', undefined, { until: 'customerActionRequired' }],
  ['an order that was refused', 'GET', '/orders/<itemless>'],
  ['an unknown order', 'GET', '/orders/<nothing>'],
  ['the list', 'GET', '/orders', undefined, { without: '"pending"' }],
  ['the list with a query', 'GET', '/orders?status=completed'],
  ['the head of the list', 'HEAD', '/orders'],
  ['stats', 'GET', '/orders/stats'],
]);

const ACTIONS = of('order', [
  ['amend', 'POST', '/orders/<amended>/action', '{"action":"amend"}'],
  ['an amended order', 'GET', '/orders/<amended>', undefined, { until: booked('<amended>:2', '<amended>:3') }],
  ['amend, too late', 'POST', '/orders/<amended>/action', '{"action":"amend"}'],
  ['cancel', 'POST', '/orders/<cancelled>/action', '{"action":"cancel"}'],
  ['a cancelled order', 'GET', '/orders/<cancelled>', undefined, { until: '"cancelled","ful' }],
  ['cancel, once more', 'POST', '/orders/<cancelled>/action', '{"action":"cancel"}'],
  ['cancel when nothing is to be decided', 'POST', '/orders/<simple>/action', '{"action":"cancel"}'],
  ['an unknown action', 'POST', '/orders/<unheard>/action', '{"action":"dance"}'],
  ['an action without a name', 'POST', '/orders/<form>/action', '{}'],
  ['an action without a body', 'POST', '/orders/<unheard>/action'],
  ['an action that is not JSON', 'POST', '/orders/<unheard>/action', 'amend'],
  ['an action on an unknown order', 'POST', '/orders/<nothing>/action', '{"action":"cancel"}'],
  ['an order nobody answered for', 'GET', '/orders/<late>', undefined, { until: 'timedOut' }],
  ['an action after the time-out', 'POST', '/orders/<late>/action', '{"action":"amend"}'],
]);

const ORDER_PATHS = of('order', [
  ['the root', 'GET', '/'],
  ['an unknown path', 'GET', '/health'],
  ['a slash at the end', 'GET', '/orders/'],
  ['a slash after the id', 'GET', '/orders/<simple>/'],
  ['two slashes', 'GET', '//orders'],
  ['an id with an escaped character', 'GET', '/orders/%3Csimple%3E'],
  ['PUT on the list', 'PUT', '/orders', '{}'],
  ['DELETE on an order', 'DELETE', '/orders/<simple>'],
  ['POST on an order', 'POST', '/orders/<simple>', '{}'],
  ['POST on the stats', 'POST', '/orders/stats', '{}'],
  ['GET on the action', 'GET', '/orders/<simple>/action'],
  ['OPTIONS', 'OPTIONS', '/orders'],
]);

const SHIPMENTS = of('shipment', [
  ['the list', 'GET', '/shipments', undefined, { until: '<two>:2' }],
  ['what is not delivered', 'GET', '/shipments/pending'],
  ['stats', 'GET', '/shipments/stats'],
  ['a booked shipment', 'GET', '/shipments/<simple>:1'],
  ['its head', 'HEAD', '/shipments/<simple>:1'],
  ['its id escaped', 'GET', '/shipments/<simple>%3A1'],
  ['an unknown shipment', 'GET', '/shipments/<nothing>:1'],
  ['a shipment never booked', 'GET', '/shipments/<cancelled>:1'],
  ['dispatched', 'POST', '/shipments/<simple>:1/status', '{"status":"dispatched"}'],
  ['a dispatched shipment', 'GET', '/shipments/<simple>:1', undefined, { until: 'dispatched' }],
  ['dispatched, once more', 'POST', '/shipments/<simple>:1/status', '{"status":"dispatched"}'],
  ['back to booked', 'POST', '/shipments/<json>:1/status', '{"status":"booked"}'],
  ['an unknown status', 'POST', '/shipments/<form>:1/status', '{"status":"lost at sea"}'],
  ['a status without a name', 'POST', '/shipments/<extra>:1/status', '{}'],
  ['a status without a body', 'POST', '/shipments/<simple>:1/status'],
  ['a status that is not JSON', 'POST', '/shipments/<simple>:1/status', 'delivered'],
  ['a status that is a number', 'POST', '/shipments/<simple>:1/status', '{"status":1}'],
  ['delivered', 'POST', '/shipments/<simple>:1/status', '{"status":"delivered"}'],
  ['a delivered shipment', 'GET', '/shipments/<simple>:1', undefined, { until: 'delivered' }],
  ['delivered without dispatch', 'POST', '/shipments/<two>:1/status', '{"status":"delivered"}'],
  ['the status of an unknown shipment', 'POST', '/shipments/<nothing>:1/status', '{"status":"delivered"}'],
  ['an unknown path', 'GET', '/shipments/<two>:1/items'],
  ['a slash at the end', 'GET', '/shipments/'],
  ['GET on the status', 'GET', '/shipments/<two>:1/status'],
  ['PUT on a shipment', 'PUT', '/shipments/<two>:1', '{}'],
  ['POST on the list', 'POST', '/shipments', '{}'],
]);

const DELIVERED = [
  ...of('order', [['a completed order', 'GET', '/orders/<simple>', undefined, { until: '"completed","ful' }]]),
  ...of('shipment', [['delivered, once more', 'POST', '/shipments/<simple>:1/status', '{"status":"delivered"}']]),
];

const BILLING = of('billing', [
  ['a charge', 'POST', '/charge', charge('bill', oneItem)],
  ['the same key again', 'POST', '/charge', charge('bill', oneItem)],
  ['the same key, another body', 'POST', '/charge', charge('bill', '[{"sku":"Puma","quantity":9}]')],
  ['a charge without a key', 'POST', '/charge', `{"customerId":"<payer>","orderReference":"r","items":${oneItem}}`],
  ['a charge of nothing', 'POST', '/charge', charge('empty', '[]')],
  ['a charge without a body', 'POST', '/charge'],
  ['a charge that is not JSON', 'POST', '/charge', 'charge'],
  ['stats', 'GET', '/charge/stats'],
  ['GET on the charge', 'GET', '/charge'],
  ['an unknown path', 'GET', '/invoices'],
]);

const FRAUD = of('fraud', [
  ['settings', 'GET', '/settings'],
  ['a limit', 'POST', '/limit', '{"limit":5000}'],
  ['settings with a limit', 'GET', '/settings'],
  ['a charge below the limit', 'POST', '/check', '{"customerId":"<spender>","charge":4999}'],
  ['a charge up to the limit', 'POST', '/check', '{"customerId":"<spender>","charge":1}'],
  ['a charge above the limit', 'POST', '/check', '{"customerId":"<spender>","charge":1}'],
  ['another customer', 'POST', '/check', '{"customerId":"<saver>","charge":5000}'],
  ['a check without a body', 'POST', '/check'],
  ['a limit in fractions of a cent', 'POST', '/limit', '{"limit":1998.9999999999998}'],
  ['a limit in quotes', 'POST', '/limit', '{"limit":"5000"}'],
  ['a limit beyond 32 bits', 'POST', '/limit', '{"limit":2147483648}'],
  ['a negative limit', 'POST', '/limit', '{"limit":-1}'],
  ['no limit', 'POST', '/limit', '{}'],
  ['a limit without a body', 'POST', '/limit'],
  ['a limit that is not JSON', 'POST', '/limit', 'high'],
  ['maintenance', 'POST', '/maintenance'],
  ['maintenance, once more', 'POST', '/maintenance', '{"on":false}'],
  ['settings in maintenance', 'GET', '/settings'],
  ['a check in maintenance', 'POST', '/check', '{"customerId":"<spender>","charge":1}'],
  ['reset', 'POST', '/reset'],
  ['settings after the reset', 'GET', '/settings'],
  ['GET on the limit', 'GET', '/limit'],
  ['POST on the settings', 'POST', '/settings', '{}'],
  ['an unknown path', 'GET', '/limits'],
]);

/** Billing under a limit, so after what counts spending from zero. */
const DECLINED = [
  ...of('fraud', [['a limit nobody keeps', 'POST', '/limit', '{"limit":1}']]),
  ...of('billing', [['a declined charge', 'POST', '/charge', charge('declined', oneItem)]]),
  ...of('order', [['an order its customer may not pay', 'POST', '/orders', order('unpaid', ['Vans'])]]),
  ...of('order', [['a failed order', 'GET', '/orders/<unpaid>', undefined, { until: '"failed","ful' }]]),
  ...of('fraud', [['the end of the limit', 'POST', '/reset']]),
];

/** What the reference's workers tell its API: public there, and of no use to anybody else. */
const INTERNAL = [
  ...of('order', [
    [
      'insert',
      'POST',
      '/orders/x/insert',
      '{"id":"<inserted>","customerId":"1","receivedAt":"2026-01-02T03:04:05Z","status":"a"}',
    ],
    ['status', 'POST', '/orders/x/status', '{"id":"<inserted>","status":"any"}'],
  ]),
  ...of('shipment', [['upsert', 'POST', '/shipments/x', '{"id":"<inserted>:1","status":"any"}']]),
];

/** The whole scenario; its order matters. */
export const CONTRACT_REQUESTS: readonly ContractRequest[] = [
  ...ORDERS_PLACED,
  ...ORDERS_REFUSED,
  ...ORDERS_READ,
  ...ACTIONS,
  ...ORDER_PATHS,
  ...SHIPMENTS,
  ...DELIVERED,
  ...BILLING,
  ...FRAUD,
  ...DECLINED,
  ...INTERNAL,
];
