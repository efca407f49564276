import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { decompressSnappy } from './snappy.ts';

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
