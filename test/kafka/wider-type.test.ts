import { describe, expect, it } from '@jest/globals';
import { avroType, widenedFor } from '../../kafka/codec/avro.ts';
import { orderEventSchema } from '../../schemas/index.ts';
import { placed } from '../helpers/order-events.ts';

/** What a later version of our schema may look like: one more payload, which uses a type of ours, and a new field. */
function laterSchema() {
  const later = structuredClone(orderEventSchema) as unknown as {
    fields: { name: string; type: unknown; default?: unknown }[];
  };
  const payload = later.fields.find((field) => field.name === 'payload')?.type as unknown[];
  const items = { name: 'items', type: { type: 'array', items: 'OrderItem' } };
  payload.push({ type: 'record', name: 'ReturnRequested', fields: [items] });
  later.fields.push({ name: 'channel', type: ['null', 'string'], default: null });
  return later;
}

describe('a record type widened for a later writer', () => {
  const ours = avroType(orderEventSchema);
  const writer = avroType(laterSchema());
  const wider = widenedFor(ours, writer);
  const read = (event: unknown): unknown => wider.fromBuffer(writer.toBuffer(event), wider.createResolver(writer));

  it('is needed: as it is, our type refuses all the writer wrote', () => {
    expect(() => ours.createResolver(writer)).toThrow();
  });

  it('reads what we know as ever', () => {
    const event = placed('o-1');
    const known = ours.fromBuffer(ours.toBuffer(event)) as object;
    expect(JSON.stringify(read({ ...event, channel: 'web' }))).toBe(JSON.stringify(known));
  });

  it('shows what we do not know under its name', () => {
    const payload = { 'oms.ReturnRequested': { items: [] } };
    expect(read({ ...placed('o-1'), payload, channel: null })).toMatchObject({ orderId: 'o-1', payload });
  });

  it('still needs all that our type needs', () => {
    const without = laterSchema();
    without.fields = without.fields.filter((field) => field.name !== 'source');
    const poor = avroType(without);
    expect(() => widenedFor(ours, poor).createResolver(poor)).toThrow();
  });
});
