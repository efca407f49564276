import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { feedEnd, isFeedAhead, mendFeed, readFeed } from '../../database/outbox/outbox-feed.ts';
import type { FeedPosition } from '../../database/outbox/outbox-feed.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { waitFor } from '../helpers/wait.ts';

/** The server a dump came from had counted so many more transactions. */
const AHEAD = 5_000_000n;

let restored: Deployment;
/** Where a reader of the old server stood. */
let position: FeedPosition;

async function tell(orderId: string): Promise<void> {
  const head = { order_id: orderId, customer_id: 'c', currency: 'GBP', source: 'shop', status: 'processing' as const };
  await restored.db
    .insertInto('orders')
    .values({ ...head, run_id: 'r', placed_at: new Date(), version: 1 })
    .execute();
  const event = { event_id: `${orderId}/1`, order_id: orderId, version: 1, sequence: 1, key: orderId, shard: 0 };
  await restored.db
    .insertInto('outbox')
    .values({ ...event, topic: 'order-status', type: 'OrderStatus', cause: 'test', value: Buffer.of(1), headers: '{}' })
    .execute();
}
const readOn = async (): Promise<string[]> =>
  (await readFeed(restored.db, position, 10)).events.map(({ orderId }) => orderId);

beforeAll(async () => {
  restored = await createDeployment({ OMS_TOPIC_PARTITIONS: '1' });
  await tell('before');
  await sql`update outbox set tx = ((tx::text)::bigint + ${sql.lit(AHEAD)})::text::xid8`.execute(restored.db);
  const { tx } = await feedEnd(restored.db);
  position = { tx: tx + AHEAD, id: 1_000 };
}, 240_000);
afterAll(() => restored?.drop());

describe('The feed of all events, after a dump was restored where transaction ids begin anew', () => {
  it('is silent, and the doctor says so', async () => {
    await tell('unseen');
    expect(await readOn()).toEqual([]);
    expect(await isFeedAhead(restored.db)).toBe(true);
    const { stdout } = await restored.oms(['doctor', '--json']);
    expect(stdout).toContain('OMS_DATABASE_FEED_AHEAD');
  });

  it('goes on after set-up, from wherever its readers stood, with what was told meanwhile', async () => {
    const { stdout } = await restored.oms(['setup', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      steps: expect.arrayContaining([expect.objectContaining({ part: 'event feed', outcome: 'mended' })]),
    });
    expect(await isFeedAhead(restored.db)).toBe(false);
    await tell('seen');
    // A transaction that is open anywhere on the server holds the feed back.
    await waitFor('both events to be told', async () => (await readOn()).length === 2);
    expect(await readOn()).toEqual(['unseen', 'seen']);
    expect((await restored.oms(['doctor', '--json'])).stdout).not.toContain('OMS_DATABASE_FEED_AHEAD');
    expect(await mendFeed(restored.db)).toBe(false);
  });
});
