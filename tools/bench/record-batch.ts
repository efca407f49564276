/** A record whose copies differ from it in their order's id only, which has the same length in all of them. */
export interface RecordTemplate {
  /** A record as it stands in a batch, from its key's length on. */
  body: Buffer;
  /** Where in there the id is to be put. */
  places: number[];
}

export function recordTemplate(
  record: { key: Buffer | null; value: Buffer | null; headers: Readonly<Record<string, unknown>> },
  id: string,
): RecordTemplate {
  const headers = Object.entries(record.headers);
  const body = Buffer.concat([
    ...[sized(record.key), sized(record.value), varint(headers.length)],
    ...headers.flatMap(([name, value]) => [sized(Buffer.from(name)), sized(Buffer.from(String(value)))]),
  ]);
  const places: number[] = [];
  for (let at = body.indexOf(id); at >= 0; at = body.indexOf(id, at + id.length)) places.push(at);
  return { body, places };
}

/** Records to be written into one batch of a partition, of one time. */
export interface BatchWriter {
  add(template: RecordTemplate, id: string): void;
  bytes(): number;
  /** The batch as it goes over the wire; the next one begins empty. */
  finish(): Buffer;
}

const HEAD_BYTES = 61;
/** Behind the checksum begins what it is made of. */
const CHECKED_FROM = 21;

/** kafkajs takes 50 microseconds for a record with headers; copies need a fifth of one or two. */
export function createBatchWriter(): BatchWriter {
  let parts: Buffer[] = [];
  let size = 0;
  let count = 0;
  return {
    add: ({ body, places }, id) => {
      // Attributes and time delta are zero.
      const head = Buffer.concat([Buffer.of(0, 0), varint(count++)]);
      const copy = Buffer.from(body);
      for (const at of places) copy.write(id, at, 'latin1');
      const length = varint(head.length + copy.length);
      parts.push(length, head, copy);
      size += length.length + head.length + copy.length;
    },
    bytes: () => size,
    finish: () => {
      const batch = Buffer.concat([headOf(count, size), ...parts]);
      batch.writeUInt32BE(crc32c(batch.subarray(CHECKED_FROM)), CHECKED_FROM - 4);
      parts = [];
      size = count = 0;
      return batch;
    },
  };
}

/** Version 2 of a batch, by nobody in particular: neither idempotent nor in a transaction. */
function headOf(count: number, recordBytes: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  const now = BigInt(Date.now());
  head.writeInt32BE(HEAD_BYTES - 12 + recordBytes, 8);
  head.writeInt32BE(-1, 12);
  head.writeInt8(2, 16);
  head.writeInt32BE(count - 1, 23);
  head.writeBigInt64BE(now, 27);
  head.writeBigInt64BE(now, 35);
  head.writeBigInt64BE(-1n, 43);
  head.writeInt16BE(-1, 51);
  head.writeInt32BE(-1, 53);
  head.writeInt32BE(count, 57);
  return head;
}

function sized(bytes: Buffer | null): Buffer {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}
