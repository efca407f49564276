import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { beginDecision, decisionsAbout } from '../../database/decisions.ts';
import { startApiHere } from '../helpers/api-app.ts';
import type { ApiHere } from '../helpers/api-app.ts';
import { callerOf } from '../helpers/api-world.ts';
import type { ApiWorld, Reply } from '../helpers/api-world.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { Incoming, IngestWorld } from '../helpers/ingest-world.ts';
import { startIngest } from '../helpers/ingests.ts';
import type { IngestHere } from '../helpers/ingests.ts';
import * as letters from '../helpers/letters.ts';
import { item, placed } from '../helpers/order-events.ts';
import { waitFor } from '../helpers/wait.ts';

let world: IngestWorld;
let ingest: IngestHere;
let api: ApiHere;
let call: ApiWorld['call'];
beforeAll(async () => {
  world = await createIngestWorld();
  ingest = await startIngest(world);
  api = await startApiHere({ url: world.environment.DATABASE_URL ?? '', prefix: world.environment.OMS_PREFIX ?? '' });
  call = callerOf(api.app);
});
afterAll(async () => {
  await api?.close();
  await ingest?.stop();
  await world?.drop();
});

const by = { who: 'anna', why: 'the cause is mended' };
const get = (path: string): Promise<Reply> => call('GET', path);
const decide = (id: string, action: string, body: unknown = by, key?: string): Promise<Reply> =>
  call('POST', `/v1/dead-letters/${id}/${action}`, { body, headers: key ? { 'idempotency-key': key } : {} });
const decisionsOf = (id: string) => decisionsAbout(world.db, 'deadLetter', id);
const lettersOf = (orderId: string) => letters.lettersOf(world, orderId);
const refused = (orderId: string, record: Incoming) => letters.refusedLetter(world, orderId, record);
const listed = async (query: string): Promise<unknown[]> =>
  ((await get(`/v1/dead-letters?${query}`)).json.items as { id: string }[]).map(({ id }) => id);
const garbage = (orderId: string): Incoming => ({
  key: orderId,
  value: Buffer.from('no Avro'),
  headers: { team: 'blue' },
});
const negative = (orderId: string) => placed(orderId, { items: [item('A', { quantity: -1 })] });

describe('Dead letters over HTTP', () => {
  it('are listed by what was decided, where they stood, when, and how often they came back', async () => {
    const id = world.id('listed');
    const first = await refused(id, garbage(id));
    const ofOrder = (query: string): Promise<unknown[]> => listed(`order=${id}&${query}`);
    expect(await ofOrder('state=open')).toEqual([first.id]);
    expect(await ofOrder('state=decided')).toEqual([]);
    expect((await decide(first.id, 'retry')).json).toMatchObject({ outcome: 'produced', attempt: 1, resumed: false });
    const second = await waitFor('the second letter', async () =>
      (await lettersOf(id)).find((one) => one.attempt === 1),
    );
    expect(await ofOrder('state=decided')).toEqual([first.id]);
    expect(await ofOrder('state=retried')).toEqual([first.id]);
    expect(await ofOrder('minAttempt=1')).toEqual([second.id]);
    expect(await ofOrder('topic=orders')).toEqual([second.id, first.id]);
    expect(await ofOrder('topic=stock-levels')).toEqual([]);
    const at = encodeURIComponent(second.createdAt.toISOString());
    expect(await ofOrder(`from=${at}`)).toEqual([second.id]);
    expect(await ofOrder(`to=${at}`)).toEqual([first.id]);
    const { json } = await get(`/v1/dead-letters?order=${id}&state=retried`);
    expect(json.items).toEqual([
      expect.objectContaining({ decision: 'retried', decidedAt: expect.any(String), attempt: 0 }),
    ]);
  });

  it('are shown one by one with what they say and every decision', async () => {
    const id = world.id('shown');
    const letter = await refused(id, { key: id, value: world.encode(negative(id)), headers: { team: 'blue' } });
    expect((await get(`/v1/dead-letters/${letter.id}`)).json).toMatchObject({
      ...{ id: letter.id, code: 'OMS_INGEST_FIELD_INVALID', key: id, hex: null, decisions: [] },
      ...{ value: { orderId: id }, headers: { team: ['blue'] }, decision: null },
    });
    await decide(letter.id, 'drop');
    expect((await get(`/v1/dead-letters/${letter.id}`)).json).toMatchObject({
      decision: 'dropped',
      decisions: [
        { action: 'drop', ...by, at: expect.any(String), doneAt: expect.any(String), outcome: { dropped: true } },
      ],
    });
    const bytes = await refused(world.id('bytes'), garbage(world.id('bytes')));
    const hex = Buffer.from('no Avro').toString('hex');
    expect((await get(`/v1/dead-letters/${bytes.id}`)).json).toMatchObject({ value: null, hex });
    expect(await get('/v1/dead-letters/nobody')).toMatchObject({ status: 404, json: { code: 'OMS_DLQ_UNKNOWN' } });
  });

  it('are corrected: the value as it is shown, mended, goes through the gate', async () => {
    const id = world.id('edited');
    const letter = await refused(id, { key: id, value: world.encode(negative(id)) });
    const { value } = (await get(`/v1/dead-letters/${letter.id}`)).json;
    expect((await decide(letter.id, 'edit', { ...by, value })).json).toMatchObject({
      ...{ status: 400, code: 'OMS_API_REQUEST_INVALID' },
      ...{ field: 'value.payload.items[0].quantity', value: '-1' },
    });
    const half = { eventId: 'e', orderId: id };
    expect((await decide(letter.id, 'edit', { ...by, value: half })).json).toMatchObject({ status: 400 });
    expect(await decisionsOf(letter.id)).toEqual([]);
    const right = placed(id, { items: [item('A', { quantity: 3 })] });
    const edited = await decide(letter.id, 'edit', { ...by, value: right });
    expect(edited.json).toMatchObject({ outcome: 'produced', offset: expect.any(Number) });
    await waitFor('the order to be started', async () => (await world.ledger(id))?.state === 'started');
  });

  it('are decided about once under a key, and answered alike; another decision needs `again`', async () => {
    const id = world.id('key');
    const letter = await refused(id, garbage(id));
    const [first, second] = await Promise.all([1, 2].map(() => decide(letter.id, 'retry', by, `key-${id}`)));
    const third = await decide(letter.id, 'retry', by, `key-${id}`);
    expect([first, second, third].map((one) => one?.status)).toEqual([200, 200, 200]);
    expect(second?.json).toEqual(first?.json);
    expect(third).toMatchObject({ json: first?.json, headers: { 'idempotent-replayed': 'true' } });
    const other = await decide(letter.id, 'retry', { ...by, why: 'another' }, `key-${id}`);
    expect(other.json).toMatchObject({ status: 422, code: 'OMS_API_KEY_REUSED' });
    expect(await decide(letter.id, 'drop')).toMatchObject({ status: 409, json: { code: 'OMS_DLQ_DECIDED' } });
    expect(await decisionsOf(letter.id)).toHaveLength(1);
    expect((await decide(letter.id, 'drop', { ...by, again: true })).json).toEqual({
      id: letter.id,
      outcome: 'dropped',
    });
  });

  it('say that Kafka is away before anything is written down', async () => {
    const id = world.id('away');
    const letter = await refused(id, garbage(id));
    const settings = { KAFKA_BROKERS: '127.0.0.1:1' };
    const alone = await startApiHere(
      { url: world.environment.DATABASE_URL ?? '', prefix: world.environment.OMS_PREFIX ?? '' },
      settings,
    );
    const answer = await callerOf(alone.app)('POST', `/v1/dead-letters/${letter.id}/retry`, { body: by });
    await alone.close();
    expect(answer).toMatchObject({ status: 503, json: { code: 'OMS_KAFKA_UNAVAILABLE', retryable: true } });
    expect(await decisionsOf(letter.id)).toEqual([]);
  });

  it('keep apart two edits: who comes second learns that the first was sent, and not theirs', async () => {
    const id = world.id('two-edits');
    const letter = await refused(id, garbage(id));
    const value = world.encode(placed(id, { items: [item('A', { quantity: 1 })] })).toString('base64');
    const detail = { attempt: 1, replacement: { key: id, value } };
    await beginDecision(world.db, by, { kind: 'deadLetter', subject: letter.id, action: 'edit', detail });
    const mine = { who: 'bert', why: 'w', value: placed(id, { items: [item('A', { quantity: 2 })] }) };
    const answer = await decide(letter.id, 'edit', mine);
    expect(answer.json).toMatchObject({
      status: 409,
      code: 'OMS_DLQ_DECIDED',
      detail: expect.stringContaining('anna'),
    });
    expect(await decisionsOf(letter.id)).toMatchObject([{ who: 'anna', outcome: { outcome: 'produced' } }]);
  });

  it('refuse what says neither who nor why, and words nobody knows', async () => {
    expect((await decide('x', 'drop', { who: 'anna' })).json).toMatchObject({ status: 400, field: 'why' });
    expect((await decide('x', 'drop', { who: 'anna', why: '' })).json).toMatchObject({ status: 400, field: 'why' });
    expect((await decide('x', 'retry', { why: 'w' })).json).toMatchObject({ status: 400, field: 'who' });
    for (const action of ['retry', 'drop']) {
      expect((await decide('x', action)).json).toMatchObject({ status: 404, code: 'OMS_DLQ_UNKNOWN' });
    }
    expect((await get('/v1/dead-letters?state=odd')).json).toMatchObject({ status: 400, field: 'state' });
    expect((await get('/v1/dead-letters?minAttempt=-1')).json).toMatchObject({ status: 400, field: 'minAttempt' });
  });
});

describe('What waits, over HTTP', () => {
  it('is told with its reason, and what can be done', async () => {
    const id = world.id('waits');
    await world.produce(placed(id));
    await waitFor('the order to be started', async () => (await world.ledger(id))?.state === 'started');
    const { json } = await get(`/v1/stuck-orders?order=${id}`);
    expect(json.items).toEqual([
      expect.objectContaining({ orderId: id, waitsFor: 'worker', reason: expect.stringContaining('oms worker') }),
    ]);
    const now = (await get('/v1/stuck-orders?olderThanSeconds=0&limit=500')).json.items as { orderId: string }[];
    expect(now.map(({ orderId }) => orderId)).toContain(id);
    expect((await get('/v1/stuck-orders')).json.items).toEqual([]);
    expect((await get('/v1/stuck-orders?olderThanSeconds=soon')).json).toMatchObject({ field: 'olderThanSeconds' });
  });

  it('is told of events that are held back, and how many wait behind them', async () => {
    const id = world.id('held');
    await sql`
      insert into outbox (event_id, order_id, topic, type, cause, key, value, headers, shard, held_reason)
      values (${`${id}/1`}, ${id}, 'invoices', 'InvoiceIssued', 'test', ${id}, 'x', '{}', 0, 'OMS_KAFKA_TOO_LARGE: big'),
        (${`${id}/2`}, ${id}, 'invoices', 'InvoicePaid', 'test', ${id}, 'x', '{}', 0, null)
    `.execute(world.db);
    expect((await get('/v1/held-events')).json.items).toEqual([
      expect.objectContaining({
        orderId: id,
        eventId: `${id}/1`,
        bytes: 1,
        waiting: 1,
        reason: expect.stringContaining('big'),
      }),
    ]);
  });
});
