import { describe, expect, it } from '@jest/globals';
import { startHealth } from '../../platform/health.ts';
import { createMetrics, Gauge } from '../../platform/metrics.ts';

const text = async (url: string) => (await fetch(url)).text();

describe('the health ports of a role', () => {
  it('name each check, answer 503 when one fails, and serve metrics', async () => {
    const metrics = createMetrics('test');
    new Gauge({ name: 'oms_test_things', help: 'Things.', registers: [metrics] }).set(7);
    let kafka: string | null = null;
    const health = await startHealth({
      host: '127.0.0.1',
      port: 0,
      metrics,
      live: { progress: () => null },
      ready: { kafka: () => kafka, database: () => Promise.reject(new Error('connection refused')) },
    });
    try {
      expect((await fetch(`${health.url}/livez`)).status).toBe(200);
      kafka = 'no broker answers';
      const ready = await fetch(`${health.url}/readyz`);
      expect(ready.status).toBe(503);
      expect(await ready.json()).toEqual({
        ok: false,
        checks: { kafka: 'no broker answers', database: 'connection refused' },
      });
      expect(await text(`${health.url}/metrics`)).toMatch(/oms_test_things\{role="test"\} 7/);
    } finally {
      await health.close();
    }
  });
});
