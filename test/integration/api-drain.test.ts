import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { setMaintenance } from '../../orders/money/spend.ts';
import { startApiProcess } from '../helpers/api-process.ts';
import type { ApiProcess } from '../helpers/api-process.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { waitFor } from '../helpers/wait.ts';

let world: Deployment;
let api: ApiProcess;
beforeAll(async () => {
  world = await createDeployment({ OMS_TOPIC_PARTITIONS: '1' });
  await setMaintenance(world.db, false);
  api = await startApiProcess(world.environment);
});
afterAll(async () => {
  await api.kill();
  await world.drop();
});

const put = (on: boolean) =>
  fetch(`${api.url}/v1/maintenance`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ on }),
  });
const waiting = async (): Promise<boolean> => {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and application_name = 'oms-api' and wait_event_type = 'Lock'
  `.execute(world.db);
  return (rows[0]?.count ?? 0) > 0;
};

describe('The api role that is told to stop', () => {
  it('says so, answers what is under way, takes nothing new, and ends well', async () => {
    expect((await fetch(`${api.healthUrl}/readyz`)).status).toBe(200);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: held, resolve: isHeld } = Promise.withResolvers<void>();
    const lock = world.db.transaction().execute(async (tx) => {
      await tx.selectFrom('settings').selectAll().forUpdate().execute();
      isHeld();
      await released;
    });
    await held;
    const answer = put(true);
    await waitFor('the request to wait in the database', waiting);
    const ended = api.stop();
    const readiness = await waitFor('/readyz to say that it drains', async () => {
      const ready = await fetch(`${api.healthUrl}/readyz`);
      return ready.status === 503 && ((await ready.json()) as { checks: Record<string, string> });
    });
    expect(readiness.checks.draining).toBe('the role is stopping');
    await waitFor('new requests to be refused', async () => {
      const fresh = await fetch(`${api.url}/v1/maintenance`).catch(() => undefined);
      return fresh === undefined || fresh.status === 503;
    });
    release();
    await lock;
    const { status, json } = await answer.then(async (got) => ({ status: got.status, json: await got.json() }));
    expect([status, json]).toEqual([200, { on: true }]);
    expect(await ended).toBe(0);
  });
});
