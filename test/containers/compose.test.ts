import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { openDatabase } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { createComposeProject } from '../helpers/compose-project.ts';
import type { ComposeProject } from '../helpers/compose-project.ts';
import { waitFor } from '../helpers/wait.ts';

// Containers are built, started and restarted: a limit for what hangs.
jest.setTimeout(600_000);

const DEADLINE_MS = 180_000;
const ROLES = ['ingest', 'worker', 'publisher', 'api'] as const;
const PARTS = ['kafka', 'registry', 'temporal', 'postgres'] as const;

let project: ComposeProject;
let db: Database;

beforeAll(async () => {
  project = await createComposeProject({ OMS_SIM_CARRIER_PICKUP: '100 ms', OMS_SIM_CARRIER_TRANSIT: '100 ms' });
  db = openDatabase({ url: project.environment.DATABASE_URL ?? '', poolSize: 2, applicationName: 'oms-test' });
  if (!process.env.OMS_IMAGE) await project.compose('build', 'setup');
});

afterAll(async () => {
  await db.destroy();
  await project.remove();
});

async function up(): Promise<void> {
  try {
    await project.compose('up', '--detach', '--wait', ...ROLES);
  } catch (error) {
    process.stderr.write(await project.compose('logs', '--tail', '40'));
    throw error;
  }
  await project.oms(['stock', 'set', 'SKU-1', 'Main', '1000', '--json']);
}

/** Puts an order on the topic, from this machine, through the published ports. */
async function placeOrder(): Promise<string> {
  const orderId = `order-${randomUUID()}`;
  const items = [{ sku: 'SKU-1', quantity: 1, unitPrice: 1_000 }];
  const payload = { OrderPlaced: { customerId: 'customer-1', currency: 'GBP', items } };
  const event = {
    eventId: `${orderId}-placed`,
    orderId,
    occurredAt: new Date().toISOString(),
    source: 'test',
    payload,
  };
  await project.oms(['orders', 'produce', '-', '--json'], JSON.stringify(event));
  return orderId;
}

/** Delivered, paid, and its last events on their topics. */
async function untilDelivered(orderId: string): Promise<void> {
  const delivered = async (): Promise<boolean> => {
    const order = await db.selectFrom('orders').select('status').where('order_id', '=', orderId).executeTakeFirst();
    if (order?.status !== 'completed') return false;
    const unsent = db
      .selectFrom('outbox')
      .select('event_id')
      .where('order_id', '=', orderId)
      .where('sent_at', 'is', null);
    return (await unsent.execute()).length === 0;
  };
  // While PostgreSQL is away there is no answer.
  await waitFor(`${orderId} to be delivered`, () => delivered().catch(() => false), DEADLINE_MS);
}

describe('the system of docker-compose.yml', () => {
  it('comes up from nothing, delivers an order, and leaves nothing behind', async () => {
    await up();
    await untilDelivered(await placeOrder());

    await project.compose('down', '--volumes');

    expect(await project.remains()).toEqual([]);
  });

  describe('once more from nothing', () => {
    beforeAll(up);

    it.each([...PARTS, ...ROLES])(
      'delivers what was under way and what comes after, when %s is killed',
      async (service) => {
        const before = await project.state(service);
        const underWay = await placeOrder();

        await project.kill(service);

        await waitFor(
          `${service} to be back`,
          async () => {
            const { running, pid, health } = await project.state(service);
            return running && pid !== before.pid && health === 'healthy';
          },
          DEADLINE_MS,
        );
        const after = await placeOrder();
        await untilDelivered(underWay);
        await untilDelivered(after);
      },
    );

    it('takes orders by HTTP, too', async () => {
      const body = {
        customerId: 'customer-1',
        currency: 'GBP',
        items: [{ sku: 'SKU-1', quantity: 1, unitPrice: 500 }],
      };
      const answer = await fetch(`http://127.0.0.1:${project.port('OMS_API_PORT')}/v1/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(201);
      await untilDelivered(((await answer.json()) as { orderId: string }).orderId);
    });

    it('takes the workflows as the image has them bundled', async () => {
      const log = await project.compose('logs', 'worker');
      expect(log).toContain('"state":"RUNNING"');
      expect(log).not.toContain('Workflow bundle created');
    });

    it('runs its roles as an ordinary user who can change nothing but /tmp', async () => {
      const script = `
        const { accessSync, constants, writeFileSync } = require('node:fs');
        writeFileSync('/tmp/here', 'x');
        let refused;
        try { writeFileSync('/app/here', 'x'); } catch (error) { refused = error.code; }
        console.log(JSON.stringify({ uid: process.getuid(), refused }));`;
      for (const role of ROLES) {
        const told = await project.compose('exec', '-T', role, 'node', '-e', script);
        expect(JSON.parse(told)).toEqual({ uid: 1000, refused: 'EROFS' });
      }
    });

    it('has a command line in each container', async () => {
      expect(await project.compose('exec', '-T', 'ingest', 'oms', 'orders', 'ls')).toContain('completed');
    });

    it('has its roles end in order when it is stopped', async () => {
      await project.compose('stop', ...ROLES);
      const states = await Promise.all(ROLES.map((role) => project.state(role)));
      expect(states.map(({ exitCode }) => exitCode)).toEqual(ROLES.map(() => 0));
    });

    it('goes on with the same orders when it is brought up again', async () => {
      const count = db.selectFrom('orders').select(({ fn }) => fn.countAll<number>().as('orders'));
      const known = await count.executeTakeFirstOrThrow();
      await project.compose('down');
      await up();
      expect(await count.executeTakeFirstOrThrow()).toEqual(known);
      await untilDelivered(await placeOrder());
    });
  });
});
