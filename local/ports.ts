import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { OmsError } from '../domain/errors.ts';

const HOST = '127.0.0.1';

async function listenOn(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: HOST, port }, resolve);
  });
  return server;
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Whether nothing listens on this port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listenOn(port));
    return true;
  } catch {
    return false;
  }
}

/** So many different free ports. They are free at the time of asking; somebody may take one before it is used. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenOn(0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** A process that was killed holds its ports for a moment more, until the last of its threads is gone. */
const RELEASED_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 100;

/** @throws OmsError OMS_LOCAL_PORT_TAKEN naming the setting */
export async function requireFree(what: string, port: number, setting: string): Promise<void> {
  const deadline = performance.now() + RELEASED_WITHIN_MS;
  while (performance.now() < deadline) {
    if (await isFree(port)) return;
    await sleep(LOOK_EVERY_MS);
  }
  throw new OmsError(
    'OMS_LOCAL_PORT_TAKEN',
    `Port ${port} for ${what} is taken by another program, perhaps the stack of another clone. ` +
      `End that program, or set ${setting} to a free port.`,
  );
}
