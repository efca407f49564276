import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import type { KafkaConnection } from './client.ts';

/**
 * A connection that can be shut for good. kafkajs' retry loops outlive `disconnect`: they reconnect and send again.
 * Behind a shut gate they find no broker and no socket, and end.
 */
export interface Gate {
  /** What the client is to be made from. */
  readonly connection: KafkaConnection;
  readonly isOpen: () => boolean;
  /** Cuts every socket and lets no new one through. */
  shut(): void;
}

export function createGate(connection: KafkaConnection): Gate {
  let open = true;
  const sockets = new Set<Socket>();
  const makeSocket = connection.socketFactory ?? plainSocket;
  const socketFactory: ISocketFactory = (target) => {
    if (!open) throw new Error('this client was shut');
    const socket = makeSocket(target);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const brokers = (): readonly string[] => {
    if (!open) return []; // kafkajs takes an empty list as a fault that no retry can cure
    return typeof connection.brokers === 'function' ? connection.brokers() : connection.brokers;
  };
  return {
    connection: { ...connection, brokers, socketFactory },
    isOpen: () => open,
    shut: () => {
      open = false;
      for (const socket of sockets) socket.destroy(new Error('this client was shut'));
    },
  };
}

const KEEP_ALIVE_AFTER_MS = 60_000;

const plainSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, servername: host, ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
  return socket;
};
