import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';

/** The part of kafkajs' encoder a codec uses. */
interface Encoded {
  buffer: Buffer;
}

interface CompressionCodec {
  compress(encoder: Encoded): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

const zstdIn = promisify(zstdCompress);
const zstdOut = promisify(zstdDecompress);

const zstd: CompressionCodec = {
  compress: (encoder) => zstdIn(encoder.buffer),
  decompress: (buffer) => zstdOut(buffer),
};

// The two native modules are loaded with the first record that needs them, not by every command.
const lz4: CompressionCodec = {
  compress: async (encoder) => (await import('lz4-napi')).compressFrame(encoder.buffer),
  decompress: async (buffer) => (await import('lz4-napi')).decompressFrame(buffer),
};

const snappy: CompressionCodec = {
  compress: async (encoder) => (await import('snappy')).compress(encoder.buffer),
  decompress: decompressSnappy,
};

/** Teaches kafkajs, which knows gzip only, the other three codecs Kafka has. Harmless to repeat. */
export function registerCompression(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs; // not among the names ESM finds in kafkajs
  const codecs = CompressionCodecs as Record<number, () => CompressionCodec>;
  codecs[CompressionTypes.Snappy] = () => snappy;
  codecs[CompressionTypes.LZ4] = () => lz4;
  codecs[CompressionTypes.ZSTD] = () => zstd;
}

/** Start of the framing Java producers put around snappy blocks; other clients write one bare block. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic, a version and the lowest compatible version, 4 bytes each. */
const XERIAL_HEADER_BYTES = XERIAL_MAGIC.length + 8;

/** A record set as Java (xerial framing) or librdkafka (one bare block) compressed it. */
async function decompressSnappy(buffer: Buffer): Promise<Buffer> {
  const { uncompress } = await import('snappy');
  const plain = async (block: Buffer): Promise<Buffer> => (await uncompress(block, { asBuffer: true })) as Buffer;
  if (!buffer.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return plain(buffer);
  return Buffer.concat(await Promise.all(xerialBlocks(buffer).map(plain)));
}

function xerialBlocks(buffer: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < buffer.length;) {
    const size = buffer.readInt32BE(at);
    const end = at + 4 + size;
    if (size < 0 || end > buffer.length) throw new RangeError(`snappy block of ${size} bytes runs past its frame`);
    blocks.push(buffer.subarray(at + 4, end));
    at = end;
  }
  return blocks;
}
