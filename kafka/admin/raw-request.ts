import type { Socket } from 'node:net';

/** A request kafkajs does not know, as its bytes, and how its answer is read. */
export interface RawRequest<T> {
  apiKey: number;
  apiVersion: number;
  /** Compact strings and tagged fields, as newer versions of the protocol have them. */
  isFlexible: boolean;
  body: Buffer;
  read(answer: WireCursor): T;
}

/** Reads big-endian fields one after the other. */
export interface WireCursor {
  int16(): number;
  int32(): number;
  int64(): bigint;
  /** Of a plain array. */
  array<T>(read: () => T): T[];
  /** Of an array whose length is a varint, one higher than it is. */
  compactArray<T>(read: () => T): T[];
  string(): string;
  compactString(): string;
  /** Passes over what newer versions may have added. */
  tags(): void;
}

/** Far above what kafkajs counts to on its own connection. */
const CORRELATION_ID = 0x6f6d7301;
const FLEXIBLE_NO_TAGS = Buffer.from([0]);

/**
 * Asks on a connection that is open, and resolves with the answer. A connection of kafkajs may be used beside it: its
 * requests are told apart by their ids.
 * @throws Error when the connection ends before the answer
 */
export function askRaw<T>(socket: Socket, request: RawRequest<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let held = Buffer.alloc(0);
    const onData = (data: Buffer): void => {
      held = Buffer.concat([held, data]);
      for (let size = frameSize(held); size !== undefined; size = frameSize(held)) {
        const frame = held.subarray(4, 4 + size);
        held = held.subarray(4 + size);
        if (frame.readInt32BE(0) !== CORRELATION_ID) continue;
        end(() => resolve(answerOf(request, frame)));
      }
    };
    const onClose = (): void => end(() => reject(new Error('the broker closed the connection without an answer')));
    const onError = (error: Error): void => end(() => reject(error));
    const end = (settle: () => void): void => {
      socket.off('data', onData).off('close', onClose).off('error', onError);
      try {
        settle();
      } catch (error) {
        reject(new Error(`no answer of a Kafka broker: ${(error as Error).message}`, { cause: error }));
      }
    };
    socket.on('data', onData).on('close', onClose).on('error', onError);
    socket.write(frameOf(request));
  });
}

function frameSize(held: Buffer): number | undefined {
  if (held.length < 8) return undefined;
  const size = held.readInt32BE(0);
  return held.length < 4 + size ? undefined : size;
}

function frameOf<T>({ apiKey, apiVersion, isFlexible, body }: RawRequest<T>): Buffer {
  const head = Buffer.alloc(14);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(apiVersion, 6);
  head.writeInt32BE(CORRELATION_ID, 8);
  head.writeInt16BE(-1, 12); // no client id
  const frame = Buffer.concat([head, ...(isFlexible ? [FLEXIBLE_NO_TAGS] : []), body]);
  frame.writeInt32BE(frame.length - 4, 0);
  return frame;
}

function answerOf<T>(request: RawRequest<T>, frame: Buffer): T {
  const cursor = createCursor(frame.subarray(4));
  if (request.isFlexible) cursor.tags();
  return request.read(cursor);
}

function createCursor(bytes: Buffer): WireCursor {
  let at = 0;
  const take = <T>(size: number, read: (at: number) => T): T => {
    const value = read(at);
    at += size;
    return value;
  };
  const varint = (): number => {
    let value = 0;
    for (let weight = 1; ; weight *= 128) {
      const byte = take(1, (i) => bytes.readUInt8(i));
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) return value;
    }
  };
  const text = (size: number): string => take(size, (i) => bytes.toString('utf8', i, i + size));
  const many = <T>(count: number, read: () => T): T[] => Array.from({ length: Math.max(0, count) }, read);
  const cursor: WireCursor = {
    int16: () => take(2, (i) => bytes.readInt16BE(i)),
    int32: () => take(4, (i) => bytes.readInt32BE(i)),
    int64: () => take(8, (i) => bytes.readBigInt64BE(i)),
    array: (read) => many(cursor.int32(), read),
    compactArray: (read) => many(varint() - 1, read),
    string: () => text(cursor.int16()),
    compactString: () => text(varint() - 1),
    tags: () => {
      for (let count = varint(); count > 0; count--) {
        varint();
        at += varint();
      }
    },
  };
  return cursor;
}
