import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decisionsAbout } from '../../database/decisions.ts';
import { listHeldEvents } from '../../database/outbox/outbox-queue.ts';
import { runCommand } from '../helpers/deployment.ts';
import { createOutboxWorld } from '../helpers/outbox-world.ts';
import type { OutboxWorld } from '../helpers/outbox-world.ts';
import { startPublisher } from '../helpers/publishers.ts';
import { waitFor } from '../helpers/wait.ts';

/** Beyond what the topic takes. */
const TOO_LARGE = 3 * 1_024 * 1_024;

let world: OutboxWorld;
let publisher: Awaited<ReturnType<typeof startPublisher>>;
beforeAll(async () => {
  world = await createOutboxWorld(['shipments', 'invoices']);
  publisher = await startPublisher(world);
});
afterAll(async () => {
  await publisher.stop();
  await world.drop();
});

describe('an order whose event is too large to send', () => {
  it('is listed, and goes on when its event is given up; who, why and what are kept', async () => {
    await world.append('held', ['shipments'], TOO_LARGE);
    await world.append('held', ['invoices', 'shipments']);
    const held = await waitFor('the event to be held', async () => (await listHeldEvents(world.db, 10))[0]);
    expect(held).toMatchObject({ orderId: 'held', topic: 'shipments', waiting: 2 });
    const listed = await runCommand(['orders', 'held', 'ls', '--json'], world.environment);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ eventId: held.eventId, bytes: held.bytes }]);

    const words = ['orders', 'held', 'release', 'held', '--why', 'told by hand', '--who', 'me', '--json'];
    const released = await runCommand(words, world.environment);
    expect(JSON.parse(released.stdout)).toMatchObject({ eventId: held.eventId, waiting: 2 });
    await waitFor('the later events', async () => (await world.unsent()) === 0, 90_000);
    expect((await world.read('shipments')).map(({ headers }) => headers['ce_sequence'])).toEqual(['2']);
    expect((await world.read('invoices')).map(({ headers }) => headers['ce_sequence'])).toEqual(['1']);
    expect(await decisionsAbout(world.db, 'event', held.eventId)).toMatchObject([
      { action: 'release', who: 'me', why: 'told by hand', detail: { orderId: 'held', topic: 'shipments' } },
    ]);
  });

  it('is not released when nothing of it is held', async () => {
    await world.append('free', ['shipments']);
    const words = ['orders', 'held', 'release', 'free', '--why', 'by mistake', '--json'];
    const { code, stderr } = await runCommand(words, world.environment);
    expect({ code, error: JSON.parse(stderr) as unknown }).toMatchObject({
      code: 1,
      error: { error: { code: 'OMS_OUTBOX_NOT_HELD' } },
    });
  });
});
