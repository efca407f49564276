import type { Type, types } from 'avsc';

/** Where a check stands in the bytes. */
interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

type Skip = (cursor: Cursor) => void;

/**
 * Makes a check that walks encoded bytes along their writer's schema without building values, and throws a RangeError
 * where a length, count or index does not fit. Run it before avsc decodes: avsc trusts an array's count, so a few bytes
 * of garbage make it build billions of items, and one poison record stops the process.
 */
export function createBoundsCheck(writer: Type): (bytes: Buffer, from: number) => void {
  const skip = skipperOf(writer, new Map());
  return (bytes, from) => {
    const cursor: Cursor = { bytes, at: from };
    skip(cursor);
    if (cursor.at !== bytes.length) throw new RangeError(`${bytes.length - cursor.at} bytes follow the record`);
  };
}

function skipperOf(type: Type, known: Map<Type, Skip>): Skip {
  const existing = known.get(type);
  if (existing) return existing;
  // A record may contain itself: what refers back to it calls it through this holder.
  const holder: { skip?: Skip } = {};
  known.set(type, (cursor) => holder.skip?.(cursor));
  holder.skip = makeSkipper(type, (part) => skipperOf(part, known));
  known.set(type, holder.skip);
  return holder.skip;
}

function makeSkipper(type: Type, of: (part: Type) => Skip): Skip {
  const kind = type.typeName;
  if (kind === 'null') return () => undefined;
  if (kind === 'boolean') return (cursor) => advance(cursor, 1);
  if (kind === 'int' || kind === 'long' || kind === 'abstract:long') return (cursor) => void readLong(cursor);
  if (kind === 'float') return (cursor) => advance(cursor, 4);
  if (kind === 'double') return (cursor) => advance(cursor, 8);
  if (kind === 'string' || kind === 'bytes') return (cursor) => advance(cursor, readLong(cursor));
  if (kind === 'fixed') return fixedSkipper((type as types.FixedType).size);
  if (kind === 'enum') return indexSkipper((type as types.EnumType).symbols.length);
  if (kind === 'record' || kind === 'error') {
    return recordSkipper((type as types.RecordType).fields.map((field) => of(field.type)));
  }
  if (kind === 'array') return blockSkipper(of((type as types.ArrayType).itemsType));
  if (kind === 'map') return blockSkipper(pairSkipper(of((type as types.MapType).valuesType as Type)));
  if (kind.startsWith('union'))
    return unionSkipper((type as types.UnwrappedUnionType).types.map((branch) => of(branch)));
  if (kind.startsWith('logical')) return of((type as types.LogicalType).underlyingType);
  throw new RangeError(`unknown Avro type ${kind}`);
}

const fixedSkipper =
  (size: number): Skip =>
  (cursor) =>
    advance(cursor, size);

function indexSkipper(count: number): Skip {
  return (cursor) => void readIndex(cursor, count);
}

function recordSkipper(fields: Skip[]): Skip {
  return (cursor) => {
    for (const skip of fields) skip(cursor);
  };
}

function unionSkipper(branches: Skip[]): Skip {
  return (cursor) => branches[readIndex(cursor, branches.length)]?.(cursor);
}

function pairSkipper(value: Skip): Skip {
  return (cursor) => {
    advance(cursor, readLong(cursor));
    value(cursor);
  };
}

/** Blocks of items, each with its count before it; a negative count is followed by the block's size in bytes. */
function blockSkipper(item: Skip): Skip {
  return (cursor) => {
    for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
      if (count < 0) readLong(cursor);
      const items = Math.abs(count);
      if (items > cursor.bytes.length - cursor.at) throw new RangeError(`a block of ${items} items does not fit`);
      for (let i = 0; i < items; i++) item(cursor);
    }
  };
}

function advance(cursor: Cursor, size: number): void {
  if (size < 0 || size > cursor.bytes.length - cursor.at) throw new RangeError(`a value of ${size} bytes does not fit`);
  cursor.at += size;
}

function readIndex(cursor: Cursor, count: number): number {
  const index = readLong(cursor);
  if (index < 0 || index >= count) throw new RangeError(`index ${index} is not one of ${count}`);
  return index;
}

/** A zigzag varint of at most 10 bytes; exact up to 2^53, which is more than any buffer holds. */
function readLong(cursor: Cursor): number {
  const { bytes } = cursor;
  let raw = 0;
  let weight = 1;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new RangeError('a number runs past the end');
    raw += (byte & 0x7f) * weight;
    if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    weight *= 128;
  }
  throw new RangeError('a number has more than 10 bytes');
}
