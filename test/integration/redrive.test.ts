import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listDeadLetters } from '../../database/dead-letters.ts';
import type { StoredDeadLetter } from '../../database/dead-letters.ts';
import { decisionsAbout } from '../../database/decisions.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { REDRIVE_STEPS, dropLetter, redriveLetter } from '../../operations/dead-letters/redrive.ts';
import type { Redriven } from '../../operations/dead-letters/redrive.ts';
import { runCommand } from '../helpers/deployment.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { Incoming, IngestWorld } from '../helpers/ingest-world.ts';
import { startIngest } from '../helpers/ingests.ts';
import type { IngestHere } from '../helpers/ingests.ts';
import * as letters from '../helpers/letters.ts';
import { cancelled, item, placed } from '../helpers/order-events.ts';
import { silent } from '../helpers/order-world.ts';
import { waitFor } from '../helpers/wait.ts';

let world: IngestWorld;
let ingest: IngestHere;
let publisher: Publisher;
beforeAll(async () => {
  world = await createIngestWorld({ settings: { OMS_SWEEP_INTERVAL: '1 s', OMS_PARKING_DEADLINE: '1 s' } });
  ingest = await startIngest(world);
  const brokers = (world.environment.KAFKA_BROKERS ?? '').split(',');
  publisher = createPublisher({ connection: { brokers, clientId: 'test', logger: silent } });
});
afterAll(async () => {
  await publisher.close();
  await ingest.stop();
  await world.drop();
});

const by = { who: 'tester', why: 'the cause is mended' };
const retry = (id: string, again = false): Promise<Redriven> =>
  redriveLetter({ db: world.db, publisher }, id, { ...by, again });
const oms = (words: string[], input?: string) => runCommand(words, world.environment, input);

const lettersOf = (orderId: string) => letters.lettersOf(world, orderId);
const refused = (orderId: string, record: Incoming) => letters.refusedLetter(world, orderId, record);

const garbage = (orderId: string): Incoming => ({
  key: orderId,
  value: Buffer.from('no Avro'),
  headers: { team: 'blue', twice: ['a', 'b'] },
});

describe('a dead letter that is retried', () => {
  it('is judged like a fresh record: an event whose order has come since reaches it', async () => {
    const id = world.id('late-order');
    const letter = await refused(id, cancelled(id));
    expect(letter.code).toBe('OMS_INGEST_ORDER_NEVER_CAME');
    await world.produce(placed(id));
    await world.untilRead();
    expect(await retry(letter.id)).toMatchObject({ outcome: 'produced', attempt: 1, topic: world.topics.orders });
    await world.untilRead();
    expect((await world.run(id))?.signals).toEqual([`${id}/cancelled`]);
    expect(await world.done(id)).toMatchObject({ [`${id}/cancelled`]: 'signalled' });
  });

  it('keeps key, value and headers, and counts its attempts from letter to letter', async () => {
    const id = world.id('again');
    const first = await refused(id, garbage(id));
    await retry(first.id);
    const second = await waitFor('the second letter', async () =>
      (await lettersOf(id)).find((one) => one.attempt === 1),
    );
    await retry(second.id);
    const third = await waitFor('the third letter', async () => (await lettersOf(id)).find((one) => one.attempt === 2));
    expect(third.record.key?.toString()).toBe(id);
    expect(third.record.value?.toString()).toBe('no Avro');
    expect(third.record.headers).toMatchObject({
      team: [Buffer.from('blue')],
      twice: [Buffer.from('a'), Buffer.from('b')],
    });
    await waitFor('its record', async () => (await lettersOf(id)).every(({ sentAt }) => sentAt));
    const attempts = (await world.deadLetters()).filter(({ key }) => key?.toString() === id);
    expect(attempts.map(({ headers }) => headers['oms-dlq-attempt'])).toEqual([undefined, '1', '2']);
  });

  it('is decided about once, unless told to decide again; who, when and why are kept', async () => {
    const id = world.id('once');
    const letter = await refused(id, garbage(id));
    await retry(letter.id);
    await expect(retry(letter.id)).rejects.toMatchObject({ code: 'OMS_DLQ_DECIDED' });
    expect(await retry(letter.id, true)).toMatchObject({ outcome: 'produced', attempt: 2 });
    const decisions = await decisionsAbout(world.db, 'deadLetter', letter.id);
    expect(decisions).toMatchObject([
      { action: 'retry', ...by, outcome: { outcome: 'produced', attempt: 1 }, doneAt: expect.any(Date) },
      { action: 'retry', ...by, outcome: { outcome: 'produced', attempt: 2 }, doneAt: expect.any(Date) },
    ]);
  });

  it('is produced once by two operators at the same time', async () => {
    const id = world.id('two');
    const letter = await refused(id, garbage(id));
    const results = await Promise.all(
      [retry(letter.id), retry(letter.id)].map((one) => one.catch((error: unknown) => error)),
    );
    const places = results.flatMap((one) => ((one as Redriven).outcome === 'produced' ? [JSON.stringify(one)] : []));
    expect(new Set(places.map((place) => (JSON.parse(place) as { offset: string }).offset)).size).toBe(1);
    expect(await decisionsAbout(world.db, 'deadLetter', letter.id)).toHaveLength(1);
  });
});

describe('a retry that is killed', () => {
  const SCRIPT = fileURLToPath(new URL('../helpers/redrive-process.ts', import.meta.url));

  it.each(REDRIVE_STEPS)(
    'when it has %s the record is ended by the next call, and the letter is never lost',
    async (step) => {
      const id = world.id(`killed-${step}`);
      const letter = await refused(id, garbage(id));
      const env = { PATH: process.env.PATH, ...world.environment };
      const child = spawn(process.execPath, [SCRIPT, letter.id, step], { env, stdio: 'ignore' });
      expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
      const ended = await retry(letter.id).catch((error: unknown) => error);
      if (step === 'recorded') expect(ended).toMatchObject({ code: 'OMS_DLQ_DECIDED' });
      else expect(ended).toMatchObject({ outcome: 'produced', attempt: 1, resumed: true });
      const [found] = await decisionsAbout(world.db, 'deadLetter', letter.id);
      expect(found).toMatchObject({ action: 'retry', why: 'to be killed', doneAt: expect.any(Date) });
      expect((await lettersOf(id)).find((one) => one.id === letter.id)).toMatchObject({ decision: 'retried' });
    },
  );

  it('keeps another decision away until it is ended', async () => {
    const id = world.id('killed-other');
    const letter = await refused(id, garbage(id));
    const env = { PATH: process.env.PATH, ...world.environment };
    await once(spawn(process.execPath, [SCRIPT, letter.id, 'intended'], { env, stdio: 'ignore' }), 'exit');
    await expect(dropLetter(world.db, letter.id, by)).rejects.toMatchObject({ code: 'OMS_DLQ_DECISION_OPEN' });
    await retry(letter.id);
    await dropLetter(world.db, letter.id, { ...by, again: true });
    expect((await lettersOf(id)).find((one) => one.id === letter.id)).toMatchObject({ decision: 'dropped' });
  });
});

describe('oms dlq', () => {
  it('edit puts the corrected order on its topic, checked and encoded; the original stays', async () => {
    const id = world.id('edited');
    const bad = placed(id, { items: [item('A', { quantity: -1 })] });
    const letter = await refused(id, { key: id, value: world.encode(bad) });
    const shown = await oms(['dlq', 'show', letter.id.slice(0, 20), '--json']);
    const { value } = JSON.parse(shown.stdout) as { value: typeof bad };
    const edit = (order: unknown) =>
      oms(['dlq', 'edit', letter.id, '--file', '-', '--why', 'typo', '--json'], JSON.stringify(order));

    const still = await edit(value);
    expect(still.code).toBe(1);
    expect(JSON.parse(still.stderr)).toMatchObject({
      error: { code: 'OMS_INGEST_FIELD_INVALID', fault: { field: 'payload.items[0].quantity', value: '-1' } },
    });
    expect(await decisionsAbout(world.db, 'deadLetter', letter.id)).toEqual([]);

    const edited = await edit(placed(id, { items: [item('A', { quantity: 3 })] }));
    expect(JSON.parse(edited.stdout)).toMatchObject({ id: letter.id, outcome: 'produced', attempt: 1 });
    await waitFor('the order to be started', async () => (await world.ledger(id))?.state === 'started');
    expect((await lettersOf(id))[0]).toMatchObject({ decision: 'edited', record: { value: world.encode(bad) } });
  });

  it('edit corrects a stock level and a carrier update by their own rules', async () => {
    const letters: StoredDeadLetter[] = [];
    for (const kind of ['stock-levels', 'carrier-updates'] as const) {
      const topic = world.topics[kind];
      await publisher.publish([{ topic, key: 'nobody', value: Buffer.from('no Avro') }]);
      letters.push(
        await waitFor(`the letter of ${topic}`, async () =>
          (await listDeadLetters(world.db, { limit: 1_000 })).find(({ record }) => record.topic === topic),
        ),
      );
    }
    const level = { sku: 'SKU-9', warehouse: 'east', onHand: 5, version: 1, occurredAt: '2026-01-01T00:00:00Z' };
    const edit = (letter: StoredDeadLetter | undefined, value: unknown) =>
      oms(['dlq', 'edit', letter?.id ?? '', '--file', '-', '--why', 'w', '--json'], JSON.stringify(value));
    expect((await edit(letters[0], { ...level, onHand: -5 })).stderr).toContain('onHand is -5');
    expect((await edit(letters[0], { ...level, onhand: 5 })).stderr).toContain('onhand is 5: must be a field');
    expect((await edit(letters[0], level)).code).toBe(0);
    await waitFor('the level', () =>
      world.db.selectFrom('stock').selectAll().where('sku', '=', 'SKU-9').where('on_hand', '=', 5).executeTakeFirst(),
    );
    const update = { updateId: 'u', shipmentId: 'A', status: 'delivered', occurredAt: 0 };
    expect((await edit(letters[1], update)).stderr).toContain('must be a shipment id');
  });

  it('retries what a filter chooses, and lists by state, reason, order and time', async () => {
    const ids = [world.id('chosen-1'), world.id('chosen-2')];
    for (const id of ids) await refused(id, { key: `${id}-other`, value: world.encode(placed(id)) });
    const filter = ['--code', 'OMS_INGEST_KEY_MISMATCH', '--since', '1h'];
    const list = async (...words: string[]): Promise<string[]> => {
      const { stdout } = await oms(['dlq', 'ls', '--json', ...words]);
      return (JSON.parse(stdout) as { deadLetters: { orderId: string }[] }).deadLetters.map(({ orderId }) => orderId);
    };
    expect((await list(...filter, '--state', 'open')).sort()).toEqual(ids);
    expect(await list(...filter, '--order', ids[0] ?? '')).toEqual([ids[0]]);
    expect(await list(...filter, '--until', '1h')).toEqual([]);
    const retried = await oms(['dlq', 'retry', ...filter, '--why', 'key mended', '--who', 'me', '--json']);
    expect(JSON.parse(retried.stdout)).toMatchObject([{ outcome: 'produced' }, { outcome: 'produced' }]);
    expect((await list(...filter, '--state', 'retried')).sort()).toEqual(ids);
  });

  it('retries records of one order that were refused together as they stood on their topic', async () => {
    const id = world.id('together');
    const values = Array.from({ length: 6 }, (_, n) => `no Avro ${n}`);
    await world.produce(...values.map((value) => ({ key: id, value: Buffer.from(value) })));
    await waitFor('their dead letters', async () => (await lettersOf(id)).filter((one) => one.sentAt).length === 6);
    const few = await oms(['dlq', 'retry', '--order', id, '--limit', '2', '--why', 'w']);
    expect(few.stdout).toContain('repeat it for the rest');
    await oms(['dlq', 'retry', '--order', id, '--until', '0s', '--why', 'w']);
    const again = await waitFor('those of the second attempt', async () => {
      const letters = (await lettersOf(id)).filter(({ attempt }) => attempt === 1);
      return letters.length === 6 && letters.toSorted((a, b) => a.record.offset - b.record.offset);
    });
    expect(again.map(({ record }) => record.value?.toString())).toEqual(values);
  });

  it('drop records the decision; a decided letter, no choice and no reason are refused', async () => {
    const id = world.id('dropped');
    const letter = await refused(id, garbage(id));
    expect((await oms(['dlq', 'drop', letter.id, '--why', 'a test', '--json'])).stdout).toContain(letter.id);
    expect((await lettersOf(id))[0]).toMatchObject({ decision: 'dropped', sentAt: expect.any(Date) });
    const again = await oms(['dlq', 'drop', letter.id, '--why', 'again']);
    expect(again).toMatchObject({ code: 1, stdout: expect.stringContaining('OMS_DLQ_DECIDED') });
    expect((await oms(['dlq', 'drop', '--why', 'all'])).code).toBe(2);
    expect((await oms(['dlq', 'ls', '--code', 'OMS_INGEST_NOT_AVOR'])).code).toBe(2);
    expect((await oms(['dlq', 'drop', letter.id])).code).toBe(2);
    for (const blank of [
      ['--why', ' '],
      ['--why', 'w', '--who', ''],
    ])
      expect((await oms(['dlq', 'drop', letter.id, ...blank])).code).toBe(2);
    expect(await decisionsAbout(world.db, 'deadLetter', letter.id)).toHaveLength(1);
  });

  it('drop goes on behind a letter that was decided about meanwhile, and says so', async () => {
    const letters: StoredDeadLetter[] = [];
    for (const name of ['drop-1', 'drop-2', 'drop-3'])
      letters.push(await refused(world.id(name), garbage(world.id(name))));
    const ids = letters.map(({ id }) => id);
    await dropLetter(world.db, ids[1] ?? '', by);
    const all = await oms(['dlq', 'drop', ...ids, '--why', 'tests', '--json']);
    expect(all.code).toBe(1);
    expect((JSON.parse(all.stdout) as Redriven[]).map(({ outcome }) => outcome)).toEqual([
      ...['dropped', 'skipped', 'dropped'],
    ]);
  });
});
