import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPublisherRole } from '../../outbox/main.ts';
import { runRole } from '../../resources/run-role.ts';
import { copyDatabase, putInPlaceOf } from '../helpers/database.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { placed } from '../helpers/order-events.ts';
import { spawnScript } from '../helpers/spawned.ts';
import { waitFor } from '../helpers/wait.ts';

let deployment: Deployment;
let other: Deployment;
let flow: Flow;
beforeAll(async () => {
  deployment = await createDeployment();
  other = await createDeployment();
  flow = await createFlow(deployment);
}, 120_000);
afterAll(async () => {
  await flow?.close();
  await deployment?.drop();
  await other?.drop();
});

describe('a role that is started without the command line', () => {
  it('does not start on the database of another deployment', async () => {
    let loaded = false;
    const load = () => {
      loaded = true;
      return Promise.resolve(startPublisherRole);
    };
    const config = { ...deployment.config, DATABASE_URL: other.config.DATABASE_URL };
    await expect(runRole({ name: 'publisher', config, port: 0, load })).rejects.toMatchObject({
      code: 'OMS_DEPLOYMENT_MISMATCH',
    });
    expect(loaded).toBe(false);
  });

  it('ends when an older database takes the place of its own', async () => {
    const { DATABASE_URL: url } = deployment.config;
    const backup = await copyDatabase(url);
    const role = spawnScript('guarded-role-process.ts', { ...deployment.environment });
    await waitFor('the role to be ready', () => role.log().includes('role ready'));
    const ingest = await deployment.start('ingest');
    await flow.send('orders', {
      key: 'known-later',
      value: deployment.codec.encode(deployment.topics.orders, placed('known-later')),
    });
    await waitFor('ingest to have committed it', async () => (await deployment.lag()) === 0);
    await ingest.stop();
    await putInPlaceOf(url, backup);
    expect(await role.gone).toBe('1');
    expect(role.log()).toContain('OMS_DATABASE_BEHIND');
  });
});
