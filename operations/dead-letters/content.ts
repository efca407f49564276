import type { StoredRecord } from '../../database/ledger/records.ts';
import type { Codec } from '../../kafka/codec/codec.ts';

/** What a refused record says, as far as it can be read: its value, or how its bytes begin. */
export type LetterContent = { value?: unknown; hex?: string };

const SHOWN_BYTES = 256;

/** Never throws: a record that cannot be read is shown as it is. */
export async function contentOf(codec: Codec, { topic, value }: StoredRecord): Promise<LetterContent> {
  const [decoded] = await codec.decodeBatch(topic, [value]).catch(() => []);
  if (decoded?.kind === 'event') return { value: decoded.value };
  return value ? { hex: value.subarray(0, SHOWN_BYTES).toString('hex') } : {};
}
