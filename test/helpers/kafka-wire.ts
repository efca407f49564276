/** Just enough of Kafka's wire format for a proxy, a fake broker and hand-made requests. */

export const API = {
  Produce: 0,
  Fetch: 1,
  Metadata: 3,
  OffsetCommit: 8,
  ApiVersions: 18,
  InitProducerId: 22,
  AlterClientQuotas: 49,
} as const;

/** Reads big-endian fields one after the other. */
export class WireReader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  private take<T>(size: number, read: (at: number) => T): T {
    const value = read(this.at);
    this.at += size;
    return value;
  }
  int8(): number {
    return this.take(1, (at) => this.buffer.readInt8(at));
  }
  int16(): number {
    return this.take(2, (at) => this.buffer.readInt16BE(at));
  }
  int32(): number {
    return this.take(4, (at) => this.buffer.readInt32BE(at));
  }
  int64(): bigint {
    return this.take(8, (at) => this.buffer.readBigInt64BE(at));
  }
  bytes(size: number): Buffer {
    return this.take(size, (at) => this.buffer.subarray(at, at + size));
  }
  string(): string | null {
    const size = this.int16();
    return size < 0 ? null : this.bytes(size).toString();
  }
  array<T>(read: () => T): T[] {
    const size = this.int32();
    return Array.from({ length: Math.max(size, 0) }, read);
  }
  /** Zigzag, as record fields are written. */
  varint(): number {
    let raw = 0;
    for (let weight = 1; ; weight *= 128) {
      const byte = this.int8() & 0xff;
      raw += (byte & 0x7f) * weight;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
  }
  rest(): Buffer {
    return this.buffer.subarray(this.at);
  }
}

/** Collects big-endian fields. */
export class WireWriter {
  private readonly parts: Buffer[] = [];

  private push(size: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(size);
    write(buffer);
    this.parts.push(buffer);
    return this;
  }
  int8(value: number): this {
    return this.push(1, (buffer) => buffer.writeInt8(value));
  }
  int16(value: number): this {
    return this.push(2, (buffer) => buffer.writeInt16BE(value));
  }
  int32(value: number): this {
    return this.push(4, (buffer) => buffer.writeInt32BE(value));
  }
  int64(value: bigint): this {
    return this.push(8, (buffer) => buffer.writeBigInt64BE(value));
  }
  raw(bytes: Buffer): this {
    this.parts.push(bytes);
    return this;
  }
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    return this.int16(Buffer.byteLength(value)).raw(Buffer.from(value));
  }
  array<T>(values: readonly T[], write: (value: T) => void): this {
    this.int32(values.length);
    values.forEach(write);
    return this;
  }
  /** The fields behind their length, as a frame. */
  frame(): Buffer {
    const body = this.body();
    const size = Buffer.alloc(4);
    size.writeInt32BE(body.length);
    return Buffer.concat([size, body]);
  }
  body(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Cuts a byte stream into frames; hands each on without its length. */
export function createFrameCutter(onFrame: (frame: Buffer) => void): (data: Buffer) => void {
  let held = Buffer.alloc(0);
  return (data) => {
    held = Buffer.concat([held, data]);
    while (held.length >= 4) {
      const size = held.readInt32BE(0);
      if (held.length < 4 + size) return;
      const frame = held.subarray(4, 4 + size);
      held = held.subarray(4 + size);
      onFrame(frame);
    }
  };
}

export interface ParsedBatch {
  producerId: bigint;
  firstSequence: number;
  compression: number;
  count: number;
  /** The records' bytes, compressed as they came. */
  records: Buffer;
}

/** A record batch of magic 2. */
export function parseBatch(batch: Buffer): ParsedBatch {
  const reader = new WireReader(batch);
  reader.bytes(8 + 4 + 4 + 1 + 4); // base offset, length, leader epoch, magic, checksum
  const compression = reader.int16() & 0x07;
  reader.bytes(4 + 8 + 8); // last offset delta, first and highest timestamp
  const producerId = reader.int64();
  reader.int16();
  const firstSequence = reader.int32();
  const count = reader.int32();
  return { producerId, firstSequence, compression, count, records: reader.rest() };
}

/** Keys and values of uncompressed record bytes. */
export function parseRecords(records: Buffer, count: number): { key: string | null; value: string | null }[] {
  const reader = new WireReader(records);
  return Array.from({ length: count }, () => {
    const record = new WireReader(reader.bytes(reader.varint()));
    record.int8();
    record.varint();
    record.varint();
    return { key: textOf(record), value: textOf(record) };
  });
}

function textOf(record: WireReader): string | null {
  const size = record.varint();
  return size < 0 ? null : record.bytes(size).toString();
}
