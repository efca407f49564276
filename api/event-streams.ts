import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { OmsError } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { GAUGES } from '../platform/metric-names.ts';
import { Gauge } from '../platform/metrics.ts';
import type { Registry } from '../platform/metrics.ts';

/** A message of a live stream. */
export interface StreamMessage {
  /** The client names it as Last-Event-ID when it comes again. Without data it only moves that on. */
  id?: string;
  /** @default message */
  event?: string;
  data?: unknown;
}

/** Live streams to clients by Server-Sent Events. */
export interface EventStreams {
  /**
   * Answers with the messages of `source` as they come, and ends with it. What a client does not take is not gathered for
   * it: the source is asked for more when the last was taken, and a client that takes nothing for long is let go.
   * @throws OmsError OMS_API_STREAMS_EXHAUSTED when as many are open as may be
   */
  open(reply: FastifyReply, source: StreamSource): FastifyReply;
  /** Ends all streams, each with a word that it is to be resumed. */
  drain(): Promise<void>;
}

/** Batches of messages; an empty one is a sign of life. It ends soon after `signal` is aborted. */
export type StreamSource = (signal: AbortSignal) => AsyncIterable<readonly StreamMessage[]>;

export interface EventStreamsOptions {
  /** Open at once. */
  limit: number;
  /** A comment is sent after so long without a message. */
  keepAliveMs: number;
  /** A client that takes nothing for so long is let go. */
  patienceMs: number;
  logger: Logger;
  metrics: Registry;
}

/** How soon a client comes again when its stream has ended, ms. */
const RETRY_MS = 2_000;
/** A client may take so long for what is on its way at the end. */
const LINGER_MS = 1_000;
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Proxies of the nginx family gather what they pass on, unless told.
  'x-accel-buffering': 'no',
};

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { limit, logger, metrics } = options;
  const open = new Map<AbortController, Promise<void>>();
  let isDraining = false;
  new Gauge({
    ...GAUGES.httpStreamsOpen,
    help: 'Live streams open now.',
    registers: [metrics],
    collect() {
      this.set(open.size);
    },
  });
  return {
    open: (reply, source) => {
      if (open.size >= limit || isDraining) throw exhausted(limit);
      const body = new PassThrough();
      const ending = new AbortController();
      body.once('close', () => ending.abort()).on('error', () => undefined);
      const ended = pump(body, source, ending.signal, options)
        .catch((err: unknown) => {
          logger.warn({ err }, 'live stream broken off');
          body.destroy();
        })
        .finally(() => open.delete(ending));
      open.set(ending, ended);
      return reply.headers(HEADERS).send(body);
    },
    drain: async () => {
      isDraining = true;
      for (const ending of open.keys()) ending.abort('drain');
      await Promise.all(open.values());
    },
  };
}

function exhausted(limit: number): OmsError {
  return new OmsError('OMS_API_STREAMS_EXHAUSTED', `${limit} live streams are open, which is as many as may be`);
}

/** Carries messages to the client until the source ends, the client goes or takes nothing, or all is drained. */
async function pump(
  body: PassThrough,
  source: StreamSource,
  signal: AbortSignal,
  { keepAliveMs, patienceMs }: EventStreamsOptions,
): Promise<void> {
  const write = async (text: string): Promise<boolean> => {
    if (body.destroyed || body.write(text)) return true;
    const taken = once(body, 'drain', { signal }).catch(() => undefined);
    return (await within(patienceMs, taken)) !== null;
  };
  await write(`retry: ${RETRY_MS}\n\n`);
  for await (const messages of withSigns(source(signal), keepAliveMs)) {
    if (signal.aborted) break;
    if (await write(messages.length > 0 ? messages.map(textOf).join('') : ': still here\n\n')) continue;
    return end(body, { event: 'resume', data: { reason: 'nothing was taken for too long' } });
  }
  await end(
    body,
    signal.reason === 'drain' ? { event: 'drain', data: { reason: 'the server is stopping' } } : undefined,
  );
}

/** The source's batches, and an empty one whenever there was none for so long. */
async function* withSigns<T>(source: AsyncIterable<readonly T[]>, everyMs: number): AsyncGenerator<readonly T[]> {
  const batches = source[Symbol.asyncIterator]();
  try {
    for (let next = batches.next(); ;) {
      const came = await within(everyMs, next);
      if (came?.done) return;
      yield came ? came.value : [];
      if (came) next = batches.next();
    }
  } finally {
    await batches.return?.();
  }
}

/** Ends the answer with a last word, and soon after the connection of a client that does not take it. */
async function end(body: PassThrough, word: StreamMessage | undefined): Promise<void> {
  if (body.destroyed) return;
  body.end(word && textOf(word));
  await within(LINGER_MS, once(body, 'close'));
  body.destroy();
}

/** What it comes to, or null when it takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | null> {
  const intime = new AbortController();
  const late = sleep(ms, null, { signal: intime.signal }).catch(() => null);
  return Promise.race([promise, late]).finally(() => intime.abort());
}

/** As the standard has it; JSON never holds a line break. */
export function textOf({ id, event, data }: StreamMessage): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}`]),
  ];
  return `${lines.join('\n')}\n\n`;
}
