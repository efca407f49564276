import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { pino } from 'pino';
import { createEventStreams, textOf } from '../../api/event-streams.ts';
import type { StreamMessage, StreamSource } from '../../api/event-streams.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { waitFor } from '../helpers/wait.ts';

const logger = pino({ level: 'silent' });

async function serve(source: StreamSource, times: { keepAliveMs?: number; patienceMs?: number }) {
  const streams = createEventStreams({
    ...{ limit: 10, keepAliveMs: 60_000, patienceMs: 60_000, logger, metrics: createMetrics('test') },
    ...times,
  });
  const app = Fastify();
  app.addHook('preClose', () => streams.drain());
  app.get('/', (_request, reply) => streams.open(reply, source));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { app, port };
}

describe('A live stream', () => {
  it('gathers nothing for a client that does not read, and lets it go', async () => {
    let asked = 0;
    let isOver = false;
    async function* endless(signal: AbortSignal): AsyncGenerator<StreamMessage[]> {
      try {
        while (!signal.aborted) {
          asked += 1;
          yield await Promise.resolve([{ data: 'x'.repeat(50_000) }]);
        }
      } finally {
        isOver = true;
      }
    }
    const { app, port } = await serve(endless, { patienceMs: 100 });
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined).write('GET / HTTP/1.1\r\nhost: test\r\n\r\n');
    client.pause();
    await waitFor('the source to be left alone', () => isOver);
    // What the kernel takes on both sides of the loopback, and no more.
    expect(asked * 50_000).toBeLessThan(64 * 1_024 * 1_024);
    await waitFor('the connection to be closed', () => app.server.listening && connectionsOf(app.server));
    client.destroy();
    await app.close();
  });

  it('gives signs of life while there is nothing to tell', async () => {
    async function* silent(signal: AbortSignal): AsyncGenerator<StreamMessage[]> {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield [];
    }
    const { app, port } = await serve(silent, { keepAliveMs: 10 });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    let text = '';
    for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.split(': still here\n\n').length > 3) break;
    }
    expect(text.startsWith('retry: 2000\n\n: still here\n\n')).toBe(true);
    await app.close();
  });

  it('writes a message as the standard has it', () => {
    expect(textOf({ id: '7', event: 'end', data: { text: 'two\nlines' } })).toBe(
      'id: 7\nevent: end\ndata: {"text":"two\\nlines"}\n\n',
    );
    expect(textOf({ id: '8' })).toBe('id: 8\n\n');
  });
});

function connectionsOf(server: { getConnections(done: (error: Error | null, count: number) => void): void }) {
  return new Promise<boolean>((resolve) => server.getConnections((_error, count) => resolve(count === 0)));
}
