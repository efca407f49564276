import { describe, expect, it } from '@jest/globals';
import { faultRules } from '../../platform/config/fault-rules.ts';
import { createFaults } from '../../providers/simulation.ts';

const KINDS = ['decline', 'timeout', 'error', 'lost', 'malformed'] as const;
const rulesOf = (text: string) => faultRules(KINDS).parse(text);
const keys = Array.from({ length: 4_000 }, (_, i) => `order-${i}:1`);

describe('the setting of a simulated provider’s faults', () => {
  it('reads shares and starts of keys', () => {
    expect(rulesOf(' decline=0.1, timeout=DEMO-* ,lost=1')).toEqual([
      { kind: 'decline', share: 0.1, prefix: null },
      { kind: 'timeout', share: 1, prefix: 'DEMO-' },
      { kind: 'lost', share: 1, prefix: null },
    ]);
  });

  it('is empty for an empty text', () => {
    expect(rulesOf('')).toEqual([]);
  });

  it.each([
    ['an unknown kind', 'explode=0.1', /"explode" must be one of decline, timeout/],
    ['a share above 1', 'decline=1.5', /"decline=1.5" must be a kind and a share from 0 to 1/],
    ['a share below 0', 'decline=-0.1', /"decline=-0.1" must be/],
    ['a kind alone', 'decline', /"decline" must be/],
    ['a star alone', 'decline=*', /"decline=\*" must be/],
  ])('refuses %s and names it', (_, text, message) => {
    const issues = faultRules(KINDS).safeParse(text).error?.issues ?? [];
    expect(issues.map((issue) => issue.message).join()).toMatch(message);
  });

  it('names every faulty entry at once', () => {
    expect(faultRules(KINDS).safeParse('explode=1,decline=7').error?.issues).toHaveLength(2);
  });
});

describe('the faults of a simulated provider', () => {
  it('strike the given share of the keys', () => {
    const faults = createFaults(rulesOf('decline=0.25'));
    const struck = keys.filter((key) => faults.strikes('decline', key)).length / keys.length;
    expect(struck).toBeGreaterThan(0.22);
    expect(struck).toBeLessThan(0.28);
  });

  it('strike the same key again, in another process too', () => {
    const [one, other] = [createFaults(rulesOf('decline=0.5')), createFaults(rulesOf('decline=0.5'))];
    expect(keys.map((key) => one.strikes('decline', key))).toEqual(keys.map((key) => other.strikes('decline', key)));
  });

  it('strike only keys that begin as told', () => {
    const faults = createFaults(rulesOf('decline=DEMO-*'));
    expect(faults.strikes('decline', 'DEMO-1:1')).toBe(true);
    expect(faults.strikes('decline', 'order-1:1')).toBe(false);
  });

  it('differ from attempt to attempt of a call, so that trying again helps', () => {
    const faults = createFaults(rulesOf('timeout=0.5'));
    const helped = keys.filter((key) => faults.ofCall('charge', key, 1) && !faults.ofCall('charge', key, 2));
    expect(helped.length).toBeGreaterThan(keys.length / 8);
  });

  it('share a call out among the kinds: one fault a call at most, each with its share', () => {
    const faults = createFaults(rulesOf('timeout=0.2,lost=0.3'));
    const met = keys.map((key) => faults.ofCall('charge', key, 1));
    const share = (kind: string | null) => met.filter((fault) => fault === kind).length / met.length;
    expect(share('timeout')).toBeCloseTo(0.2, 1);
    expect(share('lost')).toBeCloseTo(0.3, 1);
    expect(share(null)).toBeCloseTo(0.5, 1);
  });

  it('leave calls alone when only keys are to be struck', () => {
    expect(createFaults(rulesOf('decline=1')).ofCall('charge', 'order-1:1', 1)).toBeNull();
  });
});
