import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { askRaw } from '../../kafka/admin/raw-request.ts';
import type { RawRequest } from '../../kafka/admin/raw-request.ts';

/** A batch of records for one partition, as its bytes. */
export interface RawBatch {
  partition: number;
  bytes: Buffer;
}

/** To the broker of a cluster that has one. */
export async function connectRaw(broker: string): Promise<Socket> {
  const [host, port] = [broker.slice(0, broker.lastIndexOf(':')), broker.slice(broker.lastIndexOf(':') + 1)];
  const socket = connect({ host, port: Number(port) });
  await once(socket, 'connect');
  return socket;
}

/** Sends batches of a topic, and waits for the acknowledgement of each. @throws Error with the code of one that was refused */
export async function produceRaw(socket: Socket, topic: string, batches: readonly RawBatch[]): Promise<void> {
  const codes = await askRaw(socket, produceRequest(topic, batches));
  const refused = codes.find((code) => code !== 0);
  if (refused !== undefined) throw new Error(`${topic} refused a batch of the bench with code ${refused}`);
}

const TIMEOUT_MS = 60_000;

function produceRequest(topic: string, batches: readonly RawBatch[]): RawRequest<number[]> {
  const heads = batches.map(({ partition, bytes }) => Buffer.concat([int32(partition), int32(bytes.length), bytes]));
  const body = Buffer.concat([
    ...[int16(-1), int16(-1), int32(TIMEOUT_MS), int32(1), int16(topic.length), Buffer.from(topic)],
    ...[int32(batches.length), ...heads],
  ]);
  return {
    ...{ apiKey: 0, apiVersion: 3, isFlexible: false, body },
    read: (answer) =>
      answer
        .array(() => {
          answer.string();
          return answer.array(() => {
            answer.int32();
            const code = answer.int16();
            answer.int64();
            answer.int64();
            return code;
          });
        })
        .flat(),
  };
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
