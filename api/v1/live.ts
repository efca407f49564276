import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { feedEnd, isBefore, readOrderMark, readToldEvents } from '../../database/outbox/outbox-feed.ts';
import type { FeedEvent, FeedPosition, ToldEvent } from '../../database/outbox/outbox-feed.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { OUTGOING_TOPICS } from '../../kafka/topics.ts';
import { DeliveryEventType, InvoiceEventType, ShipmentEventType } from '../../schemas/index.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { createEventStreams } from '../event-streams.ts';
import type { EventStreams, StreamMessage } from '../event-streams.ts';
import { patiently } from '../feed.ts';
import { customerId, iso, problems, time, typed } from './atoms.ts';

/** Types of the events we tell, over all topics. */
const EVENT_TYPES = ['OrderStatus', ...ShipmentEventType, ...InvoiceEventType, ...DeliveryEventType].filter(
  (type) => type !== 'Unknown',
);

/** An event as a live stream tells of it. */
const toldEvent = z
  .object({
    orderId: z.string(),
    customerId: z.string().optional().describe('In the stream of all orders.'),
    version: z.int().describe('Counts what was told of the order.'),
    eventId: z.string().describe('The same as on the topic.'),
    topic: z.string().describe('Without prefix.'),
    type: z.enum(EVENT_TYPES),
    cause: z.string(),
    at: time,
  })
  .meta({ id: 'ToldEvent' });

/** Clients and what lies between give up a connection that is silent for a minute or so; our own server does so, too. */
const KEEP_ALIVE_MS = 15_000;
/** A stream takes as long as it takes: the most a timer can be set to, ms. */
const NO_TIMEOUT = 2 ** 31 - 1;
const PATIENCE_MS = 30_000;
/** Events a stream hands over at once: what one stream may hold in memory. */
const BATCH = 100;

/** Live updates: what the OMS tells of one order, and of all. */
export function registerLive(app: FastifyInstance, deps: ApiDependencies): void {
  const { config, logger, metrics } = deps;
  const bounds = {
    limit: config.OMS_API_STREAMS,
    keepAliveMs: Math.min(KEEP_ALIVE_MS, config.OMS_API_TIMEOUT),
    patienceMs: PATIENCE_MS,
  };
  const streams = createEventStreams({ ...bounds, logger, metrics });
  app.addHook('preClose', () => streams.drain());
  registerOrderEvents(app, deps, streams);
  registerEvents(app, deps, streams);
}

const EVENT_STREAM = {
  description: `Server-Sent Events. Each message is an event that was told, as JSON (see \`ToldEvent\`), with its place as id.
    Named messages: \`end\` (nothing more will come), \`drain\` (the server stops) and \`resume\` (too little was taken):
    after the latter two, come again with the last id as Last-Event-ID, as browsers do by themselves.`,
  content: { 'text/event-stream': { schema: toldEvent } },
};
const lastEventId = z.object({
  'last-event-id': z.string().max(60).optional().describe('Id of the last message that was taken in.'),
});
const from = (what: string) =>
  z
    .string()
    .max(60)
    .optional()
    .describe(`Where to begin without Last-Event-ID: \`start\`, or ${what}. Without it: now.`);

function registerOrderEvents(app: FastifyInstance, deps: ApiDependencies, streams: EventStreams): void {
  typed(app).get(
    '/orders/:id/events',
    {
      // A HEAD would read the stream for nobody.
      exposeHeadRoute: false,
      handlerTimeout: NO_TIMEOUT,
      schema: {
        operationId: 'followOrder',
        summary: 'What is told of an order, live: without a gap, in version order, until the order is closed.',
        tags: ['live updates'],
        params: z.object({ id: z.string().max(200).describe('Order id.') }),
        headers: lastEventId,
        querystring: z.object({ from: from('a version') }).strict(),
        response: {
          200: EVENT_STREAM,
          204: z.null().describe('Closed, and all of it was taken in.'),
          ...problems(404),
        },
      },
    },
    async ({ params: { id }, headers, query }, reply) => {
      const mark = await readOrderMark(deps.db, id);
      if (!mark) throw new OmsError('OMS_ORDER_UNKNOWN', `no order ${id}`);
      const place = placeOf(headers, query);
      const after = place.value === undefined ? mark.version : readVersion(place.field, place.value);
      // 204 is what keeps a browser from coming again.
      if (mark.isClosed && after >= mark.version && headers['last-event-id'] !== undefined) {
        return reply.code(204).send(null);
      }
      return streams.open(reply, (signal) => orderMessages(deps, id, after, signal)) as never;
    },
  );
}

/** All that was told after a version, read from the database whenever there is more. */
async function* orderMessages(
  { db, feed, logger }: ApiDependencies,
  orderId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<StreamMessage[]> {
  for (let version = after; !signal.aborted;) {
    const read = await patiently(() => readOn(db, orderId, version), signal, logger);
    if (!read) return;
    const { mark, events } = read;
    version = events.at(-1)?.version ?? version;
    if (events.length > 0) yield events.map((event) => ({ id: String(event.version), data: toldJson(event) }));
    if (mark?.isClosed && version >= mark.version) {
      yield [{ id: String(version), event: 'end', data: { orderId, version } }];
      return;
    }
    if (events.length < BATCH) await feed.beyond(orderId, version, signal);
  }
}

/** Events first: an order that is closed between the two is read once more, as its mark is beyond them. */
async function readOn(db: Database, orderId: string, version: number) {
  const events = await readToldEvents(db, orderId, version, BATCH);
  return { events, mark: await readOrderMark(db, orderId) };
}

const topic = z.enum(OUTGOING_TOPICS);
const filter = {
  customer: customerId.optional().describe('Only events of orders of this customer.'),
  topic: topic.optional().describe('Only events of this topic (without prefix).'),
  type: z.enum(EVENT_TYPES).optional().describe('Only events of this type.'),
};

function registerEvents(app: FastifyInstance, deps: ApiDependencies, streams: EventStreams): void {
  typed(app).get(
    '/events',
    {
      exposeHeadRoute: false,
      handlerTimeout: NO_TIMEOUT,
      schema: {
        operationId: 'followOrders',
        summary: 'What is told of all orders, live, in an order that never changes: of each order by version, no gap.',
        tags: ['live updates'],
        headers: lastEventId,
        querystring: z.object({ ...filter, from: from('an id') }).strict(),
        response: { 200: EVENT_STREAM, ...problems() },
      },
    },
    async ({ headers, query }, reply) => {
      const end = await feedEnd(deps.db);
      const place = placeOf(headers, query);
      const after = place.value === undefined ? end : readPosition(place.field, place.value, end);
      return streams.open(reply, (signal) => feedMessages(deps, query, after, signal)) as never;
    },
  );
}

type Filter = { [K in keyof typeof filter]?: string | undefined };

async function* feedMessages(
  { feed, logger }: ApiDependencies,
  { customer, topic, type }: Filter,
  after: FeedPosition,
  signal: AbortSignal,
): AsyncGenerator<StreamMessage[]> {
  const isWanted = (event: FeedEvent): boolean =>
    (customer === undefined || event.customerId === customer) &&
    (topic === undefined || event.topic === topic) &&
    (type === undefined || event.type === type);
  for (let position = after; !signal.aborted;) {
    const page = await patiently(() => feed.after(position, signal), signal, logger);
    if (!page) return;
    position = page.upTo;
    const wanted = page.events.filter(isWanted);
    for (let i = 0; i < wanted.length; i += BATCH) yield wanted.slice(i, i + BATCH).map(feedMessage);
    // So that whoever comes again need not have read anew what was not for him.
    if (wanted.length < page.events.length) yield [{ id: writePosition(position) }];
  }
}

const feedMessage = (event: FeedEvent): StreamMessage => ({
  id: writePosition(event.position),
  data: { ...toldJson(event), customerId: event.customerId },
});

function toldJson({ orderId, version, eventId, topic, type, cause, at }: ToldEvent) {
  return { orderId, version, eventId, topic, type, cause, at: iso(at) };
}

interface Place {
  field: 'from' | 'last-event-id';
  value: string | undefined;
}

/** A client that comes again says where it was; what its URL says is where it began. */
function placeOf(headers: z.output<typeof lastEventId>, query: { from?: string | undefined }): Place {
  const resumed = headers['last-event-id'];
  return resumed === undefined ? { field: 'from', value: query.from } : { field: 'last-event-id', value: resumed };
}

function readVersion(field: string, value: string): number {
  if (field === 'from' && value === 'start') return 0;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw faultError('OMS_API_REQUEST_INVALID', {
    field,
    value,
    rule: 'must be a version of the order, as its messages have it for id',
  });
}

const writePosition = ({ tx, id }: FeedPosition): string => `${tx}-${id}`;
const LARGEST_TX = 2n ** 64n;

function readPosition(field: string, value: string, end: FeedPosition): FeedPosition {
  if (field === 'from' && value === 'start') return { tx: 0n, id: 0 };
  const [, tx, id] = /^(\d{1,20})-(\d{1,15})$/.exec(value) ?? [];
  const position = { tx: BigInt(tx ?? LARGEST_TX), id: Number(id) };
  if (!isBefore(end, position)) return position;
  throw faultError('OMS_API_REQUEST_INVALID', { field, value, rule: 'must be the id of a message of this stream' });
}
