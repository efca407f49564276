import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyDatabase, putInPlaceOf } from '../helpers/database.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment, RoleProcess } from '../helpers/deployment.ts';
import { createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { waitFor } from '../helpers/wait.ts';

const ROLES = ['ingest', 'worker', 'publisher', 'api'] as const;

let deployment: Deployment;
let flow: Flow;
beforeAll(async () => {
  deployment = await createDeployment();
  flow = await createFlow(deployment);
});
afterAll(async () => {
  await flow?.close();
  await deployment?.drop();
});

const databaseUrl = (): string => deployment.environment['DATABASE_URL'] ?? '';
const startAll = (): Promise<RoleProcess[]> => Promise.all(ROLES.map((role) => deployment.start(role)));
const whenAll = (roles: readonly RoleProcess[], word: string): Promise<boolean> =>
  waitFor(`every role to say "${word}"`, () => roles.every((role) => role.log().includes(word)));

describe('a database that is exchanged under running roles', () => {
  it('is compared again, and worked on when it knows what the topics know', async () => {
    const copy = await copyDatabase(databaseUrl());
    const roles = await startAll();
    await putInPlaceOf(databaseUrl(), copy);
    await whenAll(roles, 'another database has taken the place of ours');
    await flow.send('orders', { key: 'garbage-1', value: Buffer.from('no Avro') });
    await waitFor('ingest to work on', async () => (await deployment.lag()) === 0);
    expect(await Promise.all(roles.map((role) => role.stop()))).toEqual(ROLES.map(() => 0));
  });

  it('ends every role when it is an older one, before that goes on as if it were the newest', async () => {
    const backup = await copyDatabase(databaseUrl());
    const roles = await startAll();
    await flow.send('orders', { key: 'garbage-2', value: Buffer.from('no Avro') });
    await waitFor('ingest to have committed it', async () => (await deployment.lag()) === 0);
    await putInPlaceOf(databaseUrl(), backup);
    await whenAll(roles, 'OMS_DATABASE_BEHIND');
    expect(await Promise.all(roles.map((role) => role.gone))).toEqual(ROLES.map(() => 1));
  });
});
