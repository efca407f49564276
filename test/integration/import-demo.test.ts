import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runDemo } from '../../cli/up-demo.ts';
import { ROLES, createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { readRetailFile } from '../helpers/retail-file.ts';

const MINUTES = 60_000;
const ofDay = readRetailFile().filter(({ day }) => day === '2010-12-01');
const refused = ofDay.filter(({ refusedFor }) => refusedFor !== undefined);

let deployment: Deployment;
let printed: string;
beforeAll(async () => {
  deployment = await createDeployment({
    OMS_SIM_CARRIER_PICKUP: '200 ms',
    OMS_SIM_CARRIER_TRANSIT: '200 ms',
    OMS_CUSTOMER_ACTION_TIMEOUT: '2 s',
  });
  await Promise.all(ROLES.map((role) => deployment.start(role)));
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  }
}, 3 * MINUTES);
afterAll(async () => {
  jest.restoreAllMocks();
  await deployment?.drop();
});

describe('the demo', () => {
  it(
    'plays the first day until every order of it has come to its end, and sums it up',
    async () => {
      const result = await runDemo(deployment.config);
      expect(result).toMatchObject({
        orders: ofDay.length,
        produced: ofDay.length,
        closed: ofDay.length - refused.length,
        refused: refused.length,
        unsent: 0,
        waiting: 0,
        deadLetters: { OMS_INGEST_FIELD_INVALID: refused.length },
      });
      expect(result.delivered).toBe(result.events.deliveries);
      expect(result.invoices).toBeGreaterThanOrEqual(result.closed - (result.statuses.timedOut ?? 0));
      expect(printed).toMatch(/143 orders placed → \d+ started → \d+ shipped/);
      expect(printed).toMatch(/Invoices +\d+ over [\d,]+\.\d\d GBP/);
      expect(printed).toContain(`./oms orders show ${result.example}`);
    },
    10 * MINUTES,
  );

  it('produces nothing when the day was played before', async () => {
    const before = await deployment.records('orders');
    expect(await runDemo(deployment.config)).toMatchObject({ produced: 0, closed: ofDay.length - refused.length });
    expect(await deployment.records('orders')).toHaveLength(before.length);
    expect(printed).toContain('played before');
  });

  it('ends at once when it is stopped', async () => {
    expect(await runDemo(deployment.config, { signal: AbortSignal.abort() })).toMatchObject({ produced: 0 });
  });
});
