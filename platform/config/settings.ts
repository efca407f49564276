import { z } from 'zod';
import { ALLOCATION_NAMES } from '../../domain/allocation.ts';
import { PRICE_FALLBACKS } from '../../domain/invoice.ts';
import { PAYMENT_MODES } from '../../domain/money.ts';
import { PROVIDER_CALL, PROVIDER_STEP } from '../../domain/provider-policies.ts';
import { faultRules } from './fault-rules.ts';
import { sourceTimers } from './source-timers.ts';
import { duration, flag, httpUrl, list, numbersBy, port, postgresUrl, wholeNumber } from './types.ts';

/** One setting: how it is checked, and the sentence docs/configuration.md prints for it. */
interface Setting<T extends z.ZodType = z.ZodType> {
  type: T;
  default: string;
  about: string;
  /** Never printed or logged. */
  secret?: boolean;
}

const setting = <T extends z.ZodType>(type: T, fallback: string, about: string, secret = false): Setting<T> => ({
  type,
  default: fallback,
  about,
  secret,
});

/** As a setting says it. */
const seconds = (ms: number): string => `${ms / 1_000} s`;

const MOST_BASIS_POINTS = 10_000;

/** What a simulated provider can be told to do wrong; docs/configuration.md says what each means. */
const CALL_FAULTS = ['timeout', 'error', 'lost', 'malformed'] as const;
const PAYMENT_FAULTS = ['decline', 'declineCapture', ...CALL_FAULTS] as const;
const CARRIER_FAULTS = [
  ...['refuse', 'deliveryFailed', 'redelivered'],
  ...['silent', 'duplicate', 'reordered', 'garbled'],
  ...CALL_FAULTS,
] as const;
/** Who moves the parcels of the simulated carrier: it does, or somebody else by hand. */
const CARRIER_NEWS = ['auto', 'none'] as const;
export type CarrierNewsMode = (typeof CARRIER_NEWS)[number];
export type PaymentFault = (typeof PAYMENT_FAULTS)[number];
export type CarrierFault = (typeof CARRIER_FAULTS)[number];

/**
 * Every setting of every role, by the environment variable that sets it. The one source: the checks, the reference in
 * docs/configuration.md and .env.example all follow from here. An empty default means "not set".
 */
export const SETTINGS = {
  // where the parts are
  KAFKA_BROKERS: setting(list(), '127.0.0.1:9092', 'Kafka brokers, `host:port`, comma separated.'),
  KAFKA_CLIENT_ID: setting(
    z.string().min(1),
    'oms',
    'Client id shown in broker logs and quotas; the role is appended.',
  ),
  KAFKA_SSL: setting(flag(), 'false', 'Talk to the brokers over TLS.'),
  KAFKA_SSL_CA: setting(
    z.string(),
    '',
    "PEM file of the authority that signed the brokers' certificates; not set = the public ones.",
  ),
  KAFKA_SASL_MECHANISM: setting(
    z.enum(['', 'plain', 'scram-sha-256', 'scram-sha-512'], {
      error: 'must be plain, scram-sha-256 or scram-sha-512',
    }),
    '',
    'How clients log in to the brokers: `plain` (only over TLS, or to this machine), `scram-sha-256`, `scram-sha-512`; not ' +
      'set = not at all.',
  ),
  KAFKA_SASL_USERNAME: setting(z.string(), '', 'User the clients log in as.'),
  KAFKA_SASL_PASSWORD: setting(z.string(), '', 'Its password.', true),
  SCHEMA_REGISTRY_URL: setting(
    httpUrl(),
    'http://127.0.0.1:8081/apis/ccompat/v7',
    'Confluent-compatible schema registry.',
  ),
  TEMPORAL_ADDRESS: setting(z.string().min(1), '127.0.0.1:7233', 'Temporal frontend, `host:port`.'),
  TEMPORAL_NAMESPACE: setting(
    z.string().min(1),
    'default',
    'Temporal namespace; with OMS_PREFIX the tenancy boundary.',
  ),
  TEMPORAL_UI_URL: setting(z.string(), '', "Temporal's web UI, for links; not set = that of the local stack."),
  DATABASE_URL: setting(postgresUrl(), 'postgres://oms:oms@127.0.0.1:5433/oms', 'PostgreSQL 15 or newer.', true),
  OMS_PREFIX: setting(
    z.string().regex(/^([A-Za-z0-9._-]{1,50})?$/, 'must be up to 50 characters of A-Z a-z 0-9 . _ -'),
    '',
    'Put before every topic, consumer group and task queue name.',
  ),

  // set-up
  OMS_TOPIC_PARTITIONS: setting(wholeNumber(1, 10_000), '12', 'Partitions of a topic that `oms setup` creates.'),
  OMS_TOPIC_REPLICATION: setting(
    wholeNumber(0, 100),
    '0',
    'Replicas of a topic that `oms setup` creates; 0 = 3, or as many as there are brokers.',
  ),
  OMS_TEMPORAL_RETENTION: setting(
    duration(),
    '3 d',
    'How long a namespace that `oms setup` registers keeps closed workflows; the ledger keeps order ids for ever.',
  ),

  // every role
  LOG_LEVEL: setting(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
    'info',
    'Least level that is logged.',
  ),
  OMS_BIND: setting(z.string().min(1), '127.0.0.1', 'Address the health and metrics ports listen on.'),
  OMS_SHUTDOWN_GRACE: setting(
    duration(),
    '20 s',
    'How long a role may take to finish what is in flight after SIGTERM.',
  ),
  OMS_INGEST_PORT: setting(port(), '9464', 'Health and metrics of the ingest role.'),
  OMS_WORKER_PORT: setting(port(), '9465', 'Health and metrics of the worker role.'),
  OMS_PUBLISHER_PORT: setting(port(), '9466', 'Health and metrics of the publisher role.'),
  OMS_API_HEALTH_PORT: setting(port(), '9467', 'Health and metrics of the api role.'),

  // the HTTP API
  OMS_API_PORT: setting(port(), '8082', 'The HTTP API: /v1, and the routes of the reference OMS.'),
  OMS_API_BODY_LIMIT: setting(wholeNumber(1_024), '2097152', 'Largest body of a request, in bytes.'),
  OMS_API_RATE_LIMIT: setting(
    wholeNumber(0),
    '0',
    'Requests an address may make in a second before it is answered 429; 0 = no limit.',
  ),
  OMS_API_TIMEOUT: setting(duration(), '30 s', 'A request that is not answered after this long is given up.'),
  OMS_API_STREAMS: setting(
    wholeNumber(0),
    '1000',
    'Live streams (Server-Sent Events) one process of the api role may have open at once.',
  ),
  OMS_API_SOURCE: setting(z.string().min(1).max(100), 'http', 'The `source` of orders and events that come by HTTP.'),
  OMS_API_CURRENCY: setting(
    z.string().regex(/^[A-Z]{3}$/, 'must be a currency code of ISO 4217 in capitals'),
    'USD',
    "Currency of orders, limits and charges that come by the reference's routes, which name none.",
  ),
  OMS_API_ANSWERS_KEPT: setting(duration(), '7 d', 'How long the answer given under an Idempotency-Key is kept.'),

  // ingest
  OMS_INGEST_MAX_IN_FLIGHT: setting(wholeNumber(1, 5_000), '100', 'Workflow starts and signals in flight at once.'),
  OMS_INGEST_OPEN_ORDERS_LIMIT: setting(
    wholeNumber(0),
    '0',
    'Ingest pauses while more orders than this are open; 0 = no limit.',
  ),
  OMS_PARKING_DEADLINE: setting(
    duration(),
    '24 h',
    'How long an event waits for its order before it is dead-lettered.',
  ),
  OMS_SWEEP_INTERVAL: setting(duration(), '30 s', 'How often parked events are looked through.'),

  // the order workflow
  OMS_CUSTOMER_ACTION_TIMEOUT: setting(
    duration(),
    '30 s',
    'How long a customer may take to decide about unavailable items.',
  ),
  OMS_CARRIER_OVERDUE: setting(duration(), '24 h', 'A carrier silent for this long about a booked shipment is asked.'),
  OMS_ALLOCATION: setting(
    z.enum(ALLOCATION_NAMES),
    'fewest-shipments',
    'How new orders are split by warehouse: `fewest-shipments` by the stock there is; `reference` by the rule the ' +
      'reference simulates its inventory with, for demos and comparisons: it keeps no stock.',
  ),
  OMS_RESERVATION_DEADLINE: setting(
    duration(),
    '24 h',
    'How long stock is kept for an order that is not paid, from its start; then what is not paid is given up.',
  ),
  OMS_PAYMENT_HOLD: setting(
    duration(),
    '6 d',
    'How long the payment provider holds money that is taken at hand-over, from the start of the order; then what was ' +
      'not handed over is called off. Less than the provider grants.',
  ),
  OMS_SHIP_BY: setting(
    duration(),
    '2 d',
    'An order not wholly with its carriers this long after its start is told of (ShipmentDelayed) and marked.',
  ),
  OMS_DELIVER_BY: setting(
    duration(),
    '7 d',
    'An order not wholly delivered this long after its start is told of (ShipmentDelayed) and marked.',
  ),
  OMS_SOURCE_TIMERS: setting(
    sourceTimers(),
    '',
    'Timers that differ for a source of orders, e.g. `webshop/ship-by=1 d,marketplace/customer-action=2 h`: ' +
      '`customer-action`, `carrier-overdue`, `reservation`, `payment-hold`, `ship-by`, `deliver-by`.',
  ),
  OMS_PAYMENT_MODE: setting(
    z.enum(PAYMENT_MODES),
    'charge',
    'Money is taken before booking (`charge`), or held and taken when the carrier has the goods (`capture-at-handover`); ' +
      'of payments begun from now on.',
  ),
  OMS_TAX_RATE: setting(
    wholeNumber(0, MOST_BASIS_POINTS),
    '2000',
    'Tax on goods in basis points, 2000 = 20 %, where OMS_TAX_RATES does not name another.',
  ),
  OMS_TAX_RATES: setting(
    numbersBy(/^([A-Z]{2}|\*)$/, 'a country (ISO 3166-1 alpha-2) or *, =, basis points', MOST_BASIS_POINTS),
    '',
    'Tax by country the goods go to, in basis points: `GB=2000,DE=1900,*=0`; `*` = all others, and no address.',
  ),
  OMS_SHIPPING_PRICE: setting(
    wholeNumber(0),
    '500',
    "Shipping charged per shipment, minor units of the order's currency.",
  ),
  OMS_SHIPPING_PRICES: setting(
    numbersBy(/^[A-Z]{3}$/, 'a currency (ISO 4217), =, minor units'),
    '',
    'Shipping by currency, where it differs from OMS_SHIPPING_PRICE: `GBP=500,EUR=600`.',
  ),
  OMS_PRICE_FALLBACK: setting(
    z.enum(PRICE_FALLBACKS),
    'none',
    'What an item costs that brings no price and has none in the price list: with `none` it cannot be charged; with ' +
      '`reference` a price from 35.00 to 119.99 that follows from its SKU, for demos with the clients of the reference.',
  ),
  OMS_WORKER_SLOTS: setting(
    wholeNumber(1, 5_000),
    '200',
    'Workflow tasks and activities a worker runs at once; of database steps at most four a connection.',
  ),
  OMS_WORKFLOW_BUNDLE: setting(
    z.string(),
    '',
    'A file with the workflows, bundled beforehand, as the image has it; not set = a worker bundles them at each start.',
  ),
  OMS_DATABASE_POOL: setting(wholeNumber(1, 500), '16', 'PostgreSQL connections of one process.'),

  // providers
  OMS_PAYMENT_TIMEOUT: setting(
    duration(),
    seconds(PROVIDER_CALL.timeLimitMs),
    'A call to the payment provider is given up after this long and made again, under the same key.',
  ),
  OMS_CARRIER_TIMEOUT: setting(duration(), seconds(PROVIDER_CALL.timeLimitMs), 'The same for the carrier.'),
  OMS_PAYMENT_RETRY_MAX_INTERVAL: setting(
    duration(),
    seconds(PROVIDER_STEP.longestWaitMs),
    'Longest wait between two attempts at a payment provider that is away; waits double from ' +
      `${seconds(PROVIDER_STEP.firstWaitMs)}.`,
  ),
  OMS_CARRIER_RETRY_MAX_INTERVAL: setting(
    duration(),
    seconds(PROVIDER_STEP.longestWaitMs),
    'The same for the carrier.',
  ),

  // publisher
  OMS_OUTBOX_BATCH: setting(wholeNumber(1, 10_000), '1000', 'Events taken from the outbox at once.'),
  OMS_OUTBOX_POLL: setting(duration(), '500 ms', 'How often the outbox is looked at while nothing announces itself.'),

  // simulated providers
  OMS_SIM_PAYMENT_LATENCY: setting(duration(), '20 ms', 'Latency of the simulated payment provider.'),
  OMS_SIM_PAYMENT_FAULTS: setting(
    faultRules(PAYMENT_FAULTS),
    '',
    'Faults of the simulated payment provider, as shares or by the start of a key, e.g. `decline=0.1,timeout=DEMO-*`. ' +
      '`decline` and `declineCapture` go by key; by call go `timeout` and `error` (before the effect), `lost` and `malformed` (after it).',
  ),
  OMS_SIM_CARRIER_LATENCY: setting(duration(), '20 ms', 'Latency of the simulated carrier.'),
  OMS_SIM_CARRIER_FAULTS: setting(
    faultRules(CARRIER_FAULTS),
    '',
    'Faults of the simulated carrier, e.g. `refuse=0.1,lost=0.05`. By key go `refuse`, `deliveryFailed` (an attempt fails, ' +
      'then the parcel comes back), `redelivered` (an attempt fails, the next succeeds), and of its news `silent` (never ' +
      'sent), `duplicate` (sent twice), `reordered` (the pick-up told after what followed) and `garbled` (a push nobody ' +
      'can read goes before each); by call the same as for payments.',
  ),
  OMS_SIM_CARRIER_NEWS: setting(
    z.enum(CARRIER_NEWS),
    'auto',
    'Whether the simulated carrier moves parcels by itself (`auto`), or only as it is told to over HTTP, by the command ' +
      'line or on `carrier-updates` (`none`), for a courier driven by hand; of parcels booked from now on.',
  ),
  OMS_SIM_CARRIER_PICKUP: setting(
    duration(),
    '2 s',
    'The simulated carrier picks a parcel up this long after booking.',
  ),
  OMS_SIM_CARRIER_TRANSIT: setting(duration(), '3 s', 'The simulated carrier delivers this long after pick-up.'),

  // the local stack (`oms up`)
  OMS_STATE_DIR: setting(z.string().min(1), '.oms', 'Where the local stack keeps its state.'),
  OMS_KAFKA_PORT: setting(port(), '9092', 'Kafka of the local stack.'),
  OMS_REGISTRY_PORT: setting(port(), '8081', 'Schema registry of the local stack.'),
  OMS_TEMPORAL_PORT: setting(port(), '7233', 'Temporal of the local stack.'),
  OMS_TEMPORAL_UI_PORT: setting(port(), '8233', "Temporal's web UI of the local stack."),
  OMS_POSTGRES_PORT: setting(port(), '5433', 'PostgreSQL of the local stack.'),
  OMS_TEMPORAL_BIN: setting(z.string(), '', 'A `temporal` binary to use instead of one on the PATH or a built one.'),
  OMS_DEBUG: setting(flag(), 'false', 'Show stack traces of errors on the command line.'),
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
export type Config = { readonly [K in SettingName]: z.output<(typeof SETTINGS)[K]['type']> };
