import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { AddressInfo } from 'node:net';

/** The API has one base URL for each of these; the client is told all four. */
export const SERVICES = ['order', 'shipment', 'billing', 'fraud'] as const;
export type Service = (typeof SERVICES)[number];
export type BaseUrls = Record<Service, string>;

/** One call of the web client's server to the API. Status 0: the API could not be reached. */
export interface Call {
  service: Service;
  method: string;
  path: string;
  status: number;
  ms: number;
  body: string;
}

export interface Recorder {
  calls: Call[];
  urls: BaseUrls;
  close(): Promise<void>;
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Sends a request on as it came, path and headers untouched, and gives the answer back as it came. */
async function forward(base: string, asked: IncomingMessage, body: Buffer, answer: ServerResponse): Promise<number> {
  const { hostname, port } = new URL(base);
  const { method, url: path, headers } = asked;
  const came = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ hostname, port, method, path, headers }, resolve).on('error', reject).end(body);
  });
  const bytes = await bytesOf(came);
  answer.writeHead(came.statusCode ?? 502, came.headers).end(bytes);
  return came.statusCode ?? 502;
}

function recording(service: Service, base: string, calls: Call[]): Server {
  const handle = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const began = performance.now();
    const body = await bytesOf(asked);
    const status = await forward(base, asked, body, answer).catch(() => 0);
    if (status === 0) answer.destroy();
    const { method = '', url = '' } = asked;
    calls.push({ service, method, path: url, status, ms: performance.now() - began, body: body.toString() });
  };
  return createServer((asked, answer) => void handle(asked, answer));
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/**
 * Stands between the web client and the API: the client looks at no status, so what the API answered can be seen only
 * on the way.
 */
export async function startRecorder(bases: BaseUrls): Promise<Recorder> {
  const calls: Call[] = [];
  const servers = SERVICES.map((service) => recording(service, bases[service], calls));
  const urls = await Promise.all(servers.map(listen));
  return {
    calls,
    urls: Object.fromEntries(SERVICES.map((service, i) => [service, urls[i] ?? ''])) as BaseUrls,
    close: async () => void (await Promise.all(servers.map(closed))),
  };
}
