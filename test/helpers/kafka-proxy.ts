import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import { createFrameCutter } from './kafka-wire.ts';

/** What happens to a response: lost on the way, or lost together with its connection. The broker has done its part. */
export type Fault = 'swallow' | 'reset';

/**
 * Stands between kafkajs and one broker and understands Kafka's frames, so that a test can lose exactly the answer it
 * means: the request has been carried out, the client does not learn of it.
 */
export interface KafkaProxy {
  /** Give it to the client under test. */
  readonly socketFactory: ISocketFactory;
  /** Loses the next `times` answers to requests of this kind. */
  lose(apiKey: number, fault: Fault, times?: number): void;
  /** How many answers of this kind were lost so far. */
  lost(apiKey: number): number;
  /** Lets every answer through again. */
  heal(): void;
  /** The broker cannot be reached until `restore`: connections are cut and new ones are refused. */
  cut(): void;
  restore(): void;
  close(): Promise<void>;
}

interface Rule {
  apiKey: number;
  fault: Fault;
  left: number;
}

export async function startKafkaProxy(broker: string): Promise<KafkaProxy> {
  const [host = '', port = ''] = broker.split(':');
  const rules: Rule[] = [];
  const lost = new Map<number, number>();
  const sockets = new Set<Socket>();
  const judge = (apiKey: number): Fault | undefined => {
    const rule = rules.find((one) => one.apiKey === apiKey && one.left > 0);
    if (!rule) return undefined;
    rule.left--;
    lost.set(apiKey, (lost.get(apiKey) ?? 0) + 1);
    return rule.fault;
  };
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return void client.resetAndDestroy();
    const upstream = connect(Number(port), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    }
    join(client, upstream, judge);
  });
  const address = await listening(server);
  return {
    socketFactory: ({ onConnect }) => connect(address.port, '127.0.0.1', onConnect),
    lose: (apiKey, fault, times = 1) => void rules.push({ apiKey, fault, left: times }),
    lost: (apiKey) => lost.get(apiKey) ?? 0,
    heal: () => void rules.splice(0),
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    restore: () => void (isCut = false),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function join(client: Socket, upstream: Socket, judge: (apiKey: number) => Fault | undefined): void {
  const asked = new Map<number, number>();
  const noteRequest = createFrameCutter((frame) => asked.set(frame.readInt32BE(4), frame.readInt16BE(0)));
  const passAnswer = createFrameCutter((frame) => {
    const correlationId = frame.readInt32BE(0);
    const fault = judge(asked.get(correlationId) ?? -1);
    asked.delete(correlationId);
    if (fault === 'reset') client.resetAndDestroy();
    if (fault !== undefined) return;
    const size = Buffer.alloc(4);
    size.writeInt32BE(frame.length);
    client.write(Buffer.concat([size, frame]));
  });
  client.on('data', (data: Buffer) => {
    noteRequest(data);
    upstream.write(data);
  });
  upstream.on('data', passAnswer);
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => client.destroy());
}

export async function listening(server: Server): Promise<AddressInfo> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address() as AddressInfo;
}
