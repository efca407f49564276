/** The magic byte and the schema's id. */
export const HEADER_BYTES = 5;
const MAGIC = 0;

/** The schema id a value names; undefined when it is not in Confluent's wire format. */
export function schemaIdIn(value: Buffer): number | undefined {
  if (value.length < HEADER_BYTES || value[0] !== MAGIC) return undefined;
  return value.readUInt32BE(1);
}

/** The encoded record behind its header. */
export function withHeader(schemaId: number, body: Buffer): Buffer {
  const value = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  value[0] = MAGIC;
  value.writeUInt32BE(schemaId, 1);
  body.copy(value, HEADER_BYTES);
  return value;
}
