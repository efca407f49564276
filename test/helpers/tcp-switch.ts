import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A way to a server that a test can interrupt. */
export interface TcpSwitch {
  /** `host:port` to give to the client under test. */
  readonly address: string;
  /** Breaks every connection and takes no new ones. */
  cut(): void;
  /** What the client says arrives; what the server answers is lost. */
  mute(): void;
  /** Everything passes again, on new connections. */
  heal(): void;
  close(): Promise<void>;
}

/** @param target `host:port` */
export async function createTcpSwitch(target: string): Promise<TcpSwitch> {
  const [host = '', port = ''] = target.split(':');
  let mode: 'open' | 'muted' | 'cut' = 'open';
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    if (mode === 'cut') return void client.destroy();
    const upstream = connect(Number(port), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    client.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => void (mode === 'open' && client.write(data)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      mode = 'cut';
      breakAll();
    },
    mute: () => void (mode = 'muted'),
    heal: () => {
      mode = 'open';
      breakAll();
    },
    close: async () => {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
